package transform

import (
	"slices"

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
