package claim_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/trustframework/claim"
)

func TestABagComesBackWithItsTypes(t *testing.T) {
	var b claim.Bag
	phone, err := claim.Parse(claim.PhoneNumber, "+33612345678")
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]claim.Value{"surName": claim.Text("Li"), "empty": claim.Text(""), "agreed": claim.Flag(false),
		"tries": claim.Number(-3), "at": claim.Time(time.Unix(1, 5)), "emails": claim.List("a", ""), "none": claim.List(), "phone": phone} {
		b.Set(name, v)
	}
	text, err := json.Marshal(&b)
	if err != nil {
		t.Fatal(err)
	}
	var back claim.Bag
	back.Set("before", claim.Text("goes"))
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if back.Len() != b.Len() {
		t.Errorf("%d claims came back of %d", back.Len(), b.Len())
	}
	for name, v := range b.All() {
		if got, _ := back.Get(name); !got.Equal(v) {
			t.Errorf("%s is %v %q, want %v %q", name, got.Type(), got, v.Type(), v)
		}
	}
}

func TestABagThatCannotBeReadRepeatsNoValue(t *testing.T) {
	var b claim.Bag
	for _, text := range []string{`[{"n":"tries","t":"int","v":"secret"}]`, `{"secret":1}`, `[`} {
		if err := b.UnmarshalJSON([]byte(text)); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
