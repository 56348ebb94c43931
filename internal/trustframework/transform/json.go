package transform

import (
	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
)

// documents are the methods of json-transformations.md.
var documents = []method{
	{
		name:    "GenerateJson",
		outputs: []slot{str("outputClaim")},
		free:    free{inputs: anyName, parameters: anyName},
		check:   checkPaths,
		run:     generateJSON,
	},
}

// generateJSON writes claims, then parameters, each at its path. A claim of type boolean, int or long is written as JSON
// has them and so is a parameter of such a DataType; a text that holds JSON is a text. A dateTime is in ISO 8601:
// UNCONFIRMED. A claim without a value is left out of an object, and is null in an array, where it has to keep its place:
// UNCONFIRMED.
func generateJSON(r *run) error {
	made := &tree{}
	for _, in := range r.transformation.Inputs {
		v, _ := r.bag.Get(in.Claim)
		if err := made.put(nameOf(in), v, !v.Empty()); err != nil {
			return r.misuse("the path %s %v", nameOf(in), err)
		}
	}
	for _, p := range r.transformation.Parameters {
		v, err := claim.Parse(claim.TypeOf(p.DataType), p.Value)
		if err != nil {
			return r.misuse("the parameter %s %v", p.ID, err)
		}
		if err := made.put(p.ID, v, true); err != nil {
			return r.misuse("the path %s %v", p.ID, err)
		}
	}
	r.output("outputClaim", claim.Text(made.String()))
	return nil
}

// checkPaths writes the document without values.
func checkPaths(c *inspection) {
	made := &tree{}
	put := func(at trustframework.Origin, path string) {
		if err := made.put(path, claim.Value{}, true); err != nil {
			c.broken(at, "the path %s %v", path, err)
		}
	}
	for _, in := range c.transformation.Inputs {
		put(in.At, nameOf(in))
		if in.Name == "" {
			c.odd(in.At, "the InputClaim %s has no TransformationClaimType; its path is its own name", in.Claim)
		}
	}
	for _, p := range c.transformation.Parameters {
		put(p.At, p.ID)
		if _, err := claim.Parse(claim.TypeOf(p.DataType), p.Value); err != nil {
			c.broken(p.At, "the parameter %s %v", p.ID, err)
		}
	}
}
