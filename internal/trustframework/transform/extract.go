package transform

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"

	"github.com/otpost/otpost/internal/trustframework/claim"
)

// extracts are the methods of json-transformations.md that read JSON, and the one that makes an array. What is not there
// comes out as nothing, and an object or array within as its JSON: both UNCONFIRMED.
var extracts = []method{
	{
		name:    "CreateJsonArray",
		inputs:  []slot{str("inputClaim")},
		outputs: []slot{str("outputClaim")},
		run: func(r *run) error {
			var made bytes.Buffer
			made.WriteByte('[')
			if v, ok := r.input("inputClaim"); ok {
				writeText(&made, v.String())
			}
			made.WriteByte(']')
			r.output("outputClaim", claim.Text(made.String()))
			return nil
		},
	},
	{
		name:       "GetClaimFromJson",
		inputs:     []slot{str("inputJson")},
		parameters: []parameter{param("claimToExtract").checked(notEmpty)},
		outputs:    []slot{str("extractedClaim")},
		run:        extractMember,
	},
	{
		name:       "GetNumericClaimFromJson",
		inputs:     []slot{str("inputJson")},
		parameters: []parameter{param("claimToExtract").checked(notEmpty)},
		outputs:    []slot{typed("extractedClaim", claim.Long)},
		run:        extractMember,
	},
	{
		name:    "GetSingleItemFromJson",
		inputs:  []slot{str("inputJson")},
		outputs: []slot{str("key").maybe(), str("value").maybe()},
		run: func(r *run) error {
			return r.first("inputJson", '{', func(d *json.Decoder) error {
				name, err := d.Token()
				if err == nil {
					r.output("key", claim.Text(name.(string)))
				}
				return errors.Join(err, r.outputJSON(d, "value"))
			}, "key", "value")
		},
	},
	{
		name:    "GetSingleValueFromJsonArray",
		inputs:  []slot{str("inputJsonClaim")},
		outputs: []slot{str("extractedClaim")},
		run: func(r *run) error {
			return r.first("inputJsonClaim", '[', func(d *json.Decoder) error { return r.outputJSON(d, "extractedClaim") }, "extractedClaim")
		},
	},
}

func extractMember(r *run) error {
	members := map[string]json.RawMessage{}
	if text := r.text("inputJson"); text != "" && json.Unmarshal([]byte(text), &members) != nil {
		return r.misuse("the input claim inputJson is not a JSON object")
	}
	raw, ok := members[r.string("claimToExtract")]
	if !ok {
		r.clear("extractedClaim")
		return nil
	}
	return r.outputJSON(json.NewDecoder(bytes.NewReader(raw)), "extractedClaim")
}

// first reads what begins with a bracket up to its first entry. Outputs are cleared if there is none.
func (r *run) first(name string, open json.Delim, read func(d *json.Decoder) error, outputs ...string) error {
	text := r.text(name)
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if text != "" {
		if !json.Valid([]byte(text)) {
			return r.misuse("the input claim %s is not JSON", name)
		}
		if token, err := d.Token(); err != nil || token != open {
			return r.misuse("the input claim %s does not begin with %s", name, open)
		}
		if d.More() {
			return read(d)
		}
	}
	for _, output := range outputs {
		r.clear(output)
	}
	return nil
}

// outputJSON gives an output the next value.
func (r *run) outputJSON(d *json.Decoder, name string) error {
	d.UseNumber()
	var raw json.RawMessage
	if err := d.Decode(&raw); err != nil {
		return err
	}
	var decoded any
	inner := json.NewDecoder(bytes.NewReader(raw))
	inner.UseNumber()
	if err := inner.Decode(&decoded); err != nil {
		return err
	}
	switch decoded.(type) {
	case nil:
		r.clear(name)
		return nil
	case map[string]any, []any:
		r.output(name, claim.Text(string(raw)))
		return nil
	}
	v, err := claim.FromJSON(claim.String, decoded)
	if err != nil {
		return r.misuse("the value %v", err)
	}
	r.output(name, v)
	return nil
}
