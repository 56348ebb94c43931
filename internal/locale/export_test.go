package locale

// Remembered is how many past matches are kept.
func (c *Catalogues) Remembered() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.matched)
}

// Plurals returns the forms of each plural as the catalogue writes them, absent categories left out.
func (l Language) Plurals() map[string][]string {
	all := make(map[string][]string)
	for key, f := range l.c.plurals {
		for _, p := range f {
			if p != nil {
				all[key] = append(all[key], p.String())
			}
		}
	}
	return all
}
