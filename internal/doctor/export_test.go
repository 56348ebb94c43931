package doctor

// AdvisedKinds opens to tests which kinds have advice of their own.
func AdvisedKinds() (kinds []string) {
	for kind := range codeAdvice {
		kinds = append(kinds, kind)
	}
	return kinds
}
