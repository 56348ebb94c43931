package transform

import (
	"slices"
	"strings"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
	"github.com/otpost/otpost/internal/trustframework/predicate"
)

// matches are methods that set claims where a text is a certain one. Outputs are null where it is not, which is
// documented; that the groups of a regular expression are then null too is UNCONFIRMED.
var matches = []method{
	{
		// Of a text that is not in the Restriction comes nothing: UNCONFIRMED.
		name:    "GetMappedValueFromLocalizedCollection",
		inputs:  []slot{str("mapFromClaim")},
		outputs: []slot{str("restrictionValueClaim")},
		check:   checkCollection,
		run:     mapValue,
	},
	{
		name:   "LookupValue",
		inputs: []slot{str("inputParameterId")},
		// Every other parameter is an entry: its Id what is looked for, its value what comes out.
		parameters: []parameter{param("errorOnFailedLookup").as(claim.Boolean).maybe()},
		outputs:    []slot{str("outputClaim")},
		free:       free{parameters: anyName},
		run:        lookUp,
	},
	{
		name:       "SetClaimsIfRegexMatch",
		inputs:     []slot{str("claimToMatch")},
		parameters: []parameter{param("matchTo").checked(compiles), param("outputClaimIfMatched").maybe(), param("extractGroups").as(claim.Boolean).maybe()},
		outputs:    []slot{str("outputClaim").maybe(), boolean("regexCompareResultClaim").maybe()},
		free:       free{outputs: anyName},
		check:      checkGroups,
		run:        matchRegex,
	},
	{
		// Outputs of strings that are not equal stay as they are, since the example has the input among them: UNCONFIRMED.
		// The example has the two texts the other way round than the table, which is followed.
		name:       "SetClaimsIfStringsAreEqual",
		inputs:     []slot{str("inputClaim")},
		parameters: []parameter{param("matchTo"), stringComparison, param("stringMatchMsg").maybe(), param("stringMatchMsgCode").maybe()},
		outputs:    []slot{str("outputClaim1").maybe(), str("outputClaim2").maybe(), boolean("stringCompareResultClaim").maybe()},
		run: func(r *run) error {
			equal := same(r.text("inputClaim"), r.string("matchTo"), r.choice("stringComparison") == "ordinalignorecase")
			if equal {
				r.outputIf(true, "outputClaim1", "stringMatchMsg")
				r.outputIf(true, "outputClaim2", "stringMatchMsgCode")
			}
			r.output("stringCompareResultClaim", claim.Flag(equal))
			return nil
		},
	},
	{
		name:       "SetClaimsIfStringsMatch",
		inputs:     []slot{str("claimToMatch")},
		parameters: []parameter{param("matchTo"), stringComparison, param("outputClaimIfMatched").maybe()},
		outputs:    []slot{str("outputClaim").maybe(), boolean("stringCompareResultClaim").maybe()},
		run: func(r *run) error {
			matched := same(r.text("claimToMatch"), r.string("matchTo"), r.choice("stringComparison") == "ordinalignorecase")
			r.outputIf(matched, "outputClaim", "outputClaimIfMatched")
			r.output("stringCompareResultClaim", claim.Flag(matched))
			return nil
		},
	},
}

var stringComparison = param("stringComparison").within("Ordinal", "OrdinalIgnoreCase")

// outputIf gives an output the value of a parameter, or none.
func (r *run) outputIf(matched bool, output, parameter string) {
	if text, ok := r.parameter(parameter); ok && matched {
		r.output(output, claim.Text(text))
	} else {
		r.clear(output)
	}
}

// mapValue finds the entry of the output claim's own Restriction.
func mapValue(r *run) error {
	for _, out := range r.transformation.Outputs {
		declared, _ := r.scene.Policy.Claim(out.Claim)
		mapped := result{output: out, none: true}
		for _, choice := range declared.Choices {
			if choice.Text == r.text("mapFromClaim") {
				mapped = result{output: out, value: claim.Text(choice.Value)}
				break
			}
		}
		r.results = append(r.results, mapped)
	}
	return nil
}

// checkCollection tells of translations, which are not read.
func checkCollection(c *inspection) {
	for _, out := range c.transformation.Outputs {
		for _, resources := range c.policy.Localization.Resources {
			for _, collection := range resources.Collections {
				if strings.EqualFold(collection.Element, out.Claim) {
					c.odd(out.At, "the LocalizedCollection of the claim type %s in %s is not read; what comes out is in the words of its Restriction", out.Claim, resources.ID)
				}
			}
		}
	}
}

// lookUp compares ordinally; the documents do not say, and B2C compares values so elsewhere: UNCONFIRMED. An empty text
// comes out where nothing is found (unit-tests, string/readme.md, LookupValue), and that errorOnFailedLookup is false
// where it is left out is UNCONFIRMED. The text of LookupNotFound is that of the example.
func lookUp(r *run) error {
	id, found := r.text("inputParameterId"), ""
	there := slices.ContainsFunc(r.transformation.Parameters, func(p trustframework.Parameter) bool {
		if p.ID != id || strings.EqualFold(p.ID, "errorOnFailedLookup") {
			return false
		}
		found = p.Value
		return true
	})
	if !there && r.on("errorOnFailedLookup", false) {
		return r.failure("LookupNotFound", "No match found for the input claim value in the list of input parameter IDs and errorOnFailedLookup is true.")
	}
	r.output("outputClaim", claim.Text(found))
	return nil
}

func compiles(expression string) error {
	_, err := predicate.Compile(expression)
	return err
}

// matchRegex looks for the expression anywhere in the claim, as Regex.IsMatch does: that B2C does is UNCONFIRMED, and the
// documented expressions are anchored or would match either way.
func matchRegex(r *run) error {
	e, err := predicate.Compile(r.string("matchTo"))
	if err != nil {
		return r.misuse("the parameter matchTo %v", err)
	}
	groups, matched, err := e.Groups(r.text("claimToMatch"))
	if err != nil {
		return r.misuse("the expression matchTo %v", err)
	}
	r.outputIf(matched, "outputClaim", "outputClaimIfMatched")
	r.output("regexCompareResultClaim", claim.Flag(matched))
	if !r.on("extractGroups", false) {
		return nil
	}
	for _, name := range e.GroupNames() {
		if matched {
			r.output(name, claim.Text(groups[name]))
		} else {
			r.clear(name)
		}
	}
	return nil
}

// checkGroups tells of output claims that no group is for.
func checkGroups(c *inspection) {
	extract, names := false, slotNames(c.method.outputs)
	for _, p := range c.transformation.Parameters {
		switch strings.ToLower(p.ID) {
		case "extractgroups":
			extract = strings.EqualFold(strings.TrimSpace(p.Value), "true")
		case "matchto":
			if e, err := predicate.Compile(p.Value); err == nil {
				names = append(names, e.GroupNames()...)
			}
		}
	}
	for _, out := range c.transformation.Outputs {
		k := slices.IndexFunc(names, func(n string) bool { return strings.EqualFold(n, nameOf(out)) })
		switch {
		case k < 0:
			c.odd(out.At, "the expression matchTo has no group %s, so that the claim gets no value", nameOf(out))
		case k >= len(c.method.outputs) && !extract:
			c.odd(out.At, "the group %s is not read without a parameter extractGroups of true", nameOf(out))
		}
	}
}
