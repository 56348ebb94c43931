package e2e_test

import (
	"strings"
	"testing"

	"github.com/otpost/otpost/proof/rig"
)

func TestTextMessageGoesOutAsASignedWebhook(t *testing.T) {
	rig.OnBoth(t, func(t *testing.T, db *rig.Database) {
		r := rig.StartReceiver(t)
		r.Answers = []int{503}
		set := db.Settings().With(r.Settings())
		p := rig.Start(t, set)
		c := rig.NewClient(t, p, rig.CreateKey(t, set, "Shop"))
		made := c.IssueAndWait("+33 6 12 34 56 78", `,"locale":"fr"`)
		if made.Delivery.State != "accepted" || made.Delivery.Provider != "webhook" || made.Delivery.Attempts != 2 {
			t.Errorf("got %+v, want one that was accepted at the second try", made.Delivery)
		}
		posts := r.Posts()
		if len(posts) != 2 || len(r.Refused) != 0 {
			t.Fatalf("got %v and refused %v, want two tries with good signatures", posts, r.Refused)
		}
		first, second := posts[0], posts[1]
		if first.ID != second.ID || first.ID != first.Data.ID || first.Data != second.Data || first.Type != "passcode.send" {
			t.Errorf("got %+v and then %+v, want the same message under the same id", first, second)
		}
		if d := first.Data; d.To != "+33612345678" || d.Channel != "sms" || d.Language != "fr" || !strings.Contains(d.Text, d.Code) {
			t.Errorf("got %+v", d)
		}
		if v := c.Verify(made.ID, first.Data.Code); !v.Verified {
			t.Errorf("the code of the text message: %+v", v)
		}
		p.Stop()
	})
}
