package transform

import (
	"slices"
	"strings"

	"github.com/otpost/otpost/internal/trustframework/claim"
)

// collections are the methods of stringcollection-transformations.md.
var collections = []method{
	{
		// The table of the document says Element for item; its example and every published policy say item.
		name:    "AddItemToStringCollection",
		inputs:  []slot{str("item").or("Element"), typed("collection", claim.StringCollection).maybe()},
		outputs: []slot{typed("collection", claim.StringCollection)},
		run: func(r *run) error {
			r.add(r.text("item"))
			return nil
		},
	},
	{
		name:       "AddParameterToStringCollection",
		inputs:     []slot{typed("collection", claim.StringCollection).maybe()},
		parameters: []parameter{param("item")},
		outputs:    []slot{typed("collection", claim.StringCollection)},
		run: func(r *run) error {
			r.add(r.string("item"))
			return nil
		},
	},
	{
		// Without an item nothing comes out: UNCONFIRMED.
		name:    "GetSingleItemFromStringCollection",
		inputs:  []slot{typed("collection", claim.StringCollection)},
		outputs: []slot{str("extractedItem")},
		run: func(r *run) error {
			if v, ok := r.input("collection"); ok {
				r.output("extractedItem", claim.Text(v.Items()[0]))
			} else {
				r.clear("extractedItem")
			}
			return nil
		},
	},
	{
		name:       "StringCollectionContains",
		inputs:     []slot{typed("inputClaim", claim.StringCollection)},
		parameters: []parameter{param("item"), ignoreCase},
		outputs:    []slot{boolean("outputClaim")},
		run: func(r *run) error {
			r.output("outputClaim", claim.Flag(r.has("inputClaim", r.string("item"))))
			return nil
		},
	},
	{
		name:       "StringCollectionContainsClaim",
		inputs:     []slot{typed("collection", claim.StringCollection), str("item")},
		parameters: []parameter{ignoreCase},
		outputs:    []slot{boolean("outputClaim")},
		run: func(r *run) error {
			item, there := r.input("item")
			r.output("outputClaim", claim.Flag(there && r.has("collection", item.String())))
			return nil
		},
	},
	{
		name:       "StringJoin",
		inputs:     []slot{typed("inputClaim", claim.StringCollection)},
		parameters: []parameter{param("delimiter")},
		outputs:    []slot{str("outputClaim")},
		run: func(r *run) error {
			v, _ := r.input("inputClaim")
			r.output("outputClaim", claim.Text(strings.Join(v.Items(), r.string("delimiter"))))
			return nil
		},
	},
	{
		// Two delimiters have an empty item between them: UNCONFIRMED.
		name:       "StringSplit",
		inputs:     []slot{str("inputClaim")},
		parameters: []parameter{param("delimiter").checked(notEmpty)},
		outputs:    []slot{typed("outputClaim", claim.StringCollection)},
		run: func(r *run) error {
			if v, ok := r.input("inputClaim"); ok {
				r.output("outputClaim", claim.List(strings.Split(v.String(), r.string("delimiter"))...))
			} else {
				r.clear("outputClaim")
			}
			return nil
		},
	},
}

// has says that an item is in the collection of an input claim.
func (r *run) has(name, item string) bool {
	v, there := r.input(name)
	ignore := r.on("ignoreCase", false)
	return there && slices.ContainsFunc(v.Items(), func(other string) bool { return same(other, item, ignore) })
}

// add puts an item at the end of the collection, unless it is in it ("unique values") or empty.
func (r *run) add(item string) {
	var items []string
	if v, ok := r.input("collection"); ok {
		items = v.Items()
	}
	if item != "" && !slices.Contains(items, item) {
		items = append(items, item)
	}
	r.output("collection", claim.List(items...))
}
