package claim

import (
	"encoding/json"
	"fmt"
)

// packed is a claim with its type: a phone number that came back as a string would not be one any more. Names are short,
// since sessions travel.
type packed struct {
	Name string   `json:"n"`
	Type Type     `json:"t,omitempty"`
	Text string   `json:"v,omitempty"`
	List []string `json:"l,omitempty"`
}

// MarshalJSON writes the claims with their types, for UnmarshalJSON to read. It is not how claims are answered to callers.
func (b *Bag) MarshalJSON() ([]byte, error) {
	list := make([]packed, 0, b.Len())
	for name, v := range b.All() {
		p := packed{Name: name, Type: v.Type()}
		switch p.Type {
		case StringCollection:
			p.List = v.Items()
		case String:
			p.Type, p.Text = "", v.String()
		default:
			p.Text = v.String()
		}
		list = append(list, p)
	}
	return json.Marshal(list)
}

// UnmarshalJSON reads what MarshalJSON wrote. Its errors do not repeat a value.
func (b *Bag) UnmarshalJSON(text []byte) error {
	var list []packed
	if err := json.Unmarshal(text, &list); err != nil {
		return fmt.Errorf("read claims: %w", err)
	}
	*b = Bag{}
	for _, p := range list {
		v, err := List(p.List...), error(nil)
		if p.Type != StringCollection {
			v, err = Parse(TypeOf(string(p.Type)), p.Text)
		}
		if err != nil {
			return fmt.Errorf("read claim %s: it %w", p.Name, err)
		}
		b.Set(p.Name, v)
	}
	return nil
}
