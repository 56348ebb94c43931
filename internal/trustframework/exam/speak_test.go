package exam_test

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/otpost/otpost/internal/trustframework/claim"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

// tell writes down what the session holds.
func (s *script) tell([]string) {
	s.printf("  claims: %s", listed(&s.session.Claims))
	for _, id := range slices.Sorted(maps.Keys(s.session.Controls)) {
		c := s.session.Controls[id]
		s.printf("  control %s sent=%v verified=%v: %s", id, c.Sent, c.Verified, listed(&c.Claims))
	}
}

// stable puts a name in place of the port, which is another each time.
func (s *script) stable(text string) string {
	return strings.ReplaceAll(text, ":"+s.rig.web.port, ":PORT")
}

var codeIn = regexp.MustCompile(`(?i)"otp":"([0-9a-z]+)"|Body=[^0-9]*([0-9]{4,})`)

// sent writes down what left, and remembers the code in it.
func (s *script) sent() {
	for _, text := range s.rig.web.read() {
		if m := codeIn.FindStringSubmatch(text); m != nil {
			s.code = m[1] + m[2]
		}
		s.printf("  sent: %s", text)
	}
	for _, m := range s.rig.post.Take() {
		s.code = m.Code
		s.printf("  sent: %s to %s: %s", m.Channel, m.To, m.Text)
	}
}

func (s *script) came(claims *claim.Bag, err error) {
	var told *execute.Told
	switch {
	case errors.As(err, &told):
		s.printf("  told %s: %s", told.Failure.Key, s.stable(told.Text))
	case err != nil:
		s.printf("  error: %s", s.stable(err.Error()))
	default:
		if code := claims.Text("otp"); code != "" {
			s.code = code
		}
		s.printf("  done: %s", listed(claims))
	}
}

func listed(b *claim.Bag) string {
	var all []string
	for name, v := range b.All() {
		all = append(all, name+"="+v.String())
	}
	return strings.Join(all, " ")
}

// page writes down what a page shows, and remembers the secret of a QR code in it.
func (s *script) page(words []string) {
	page, err := s.rig.runner.Page(s.t.Context(), s.request(words))
	if err != nil {
		s.came(nil, err)
		return
	}
	s.printf("  page %q in %s, continue with %q", page.Title, page.Language, page.Continue)
	for _, l := range page.Lines {
		if l.Field != nil {
			s.field("  ", *l.Field)
			continue
		}
		s.printf("  control %s %s", l.Control.ID, l.Control.Type)
		for _, id := range slices.Sorted(maps.Keys(l.Control.Texts)) {
			s.printf("    %s: %s", id, l.Control.Texts[id])
		}
		if l.Control.QR != "" {
			s.printf("    QR code: %s", l.Control.QR)
			if m := regexp.MustCompile(`[?&]secret=([^&]+)`).FindStringSubmatch(l.Control.QR); m != nil {
				s.secret = m[1]
			}
		}
		for _, f := range l.Control.Fields {
			s.field("    ", f)
		}
	}
}

func (s *script) field(indent string, f execute.Field) {
	line := fmt.Sprintf("%s%s %q (%s) %q", indent, f.Claim, f.Label, f.Input, f.Value)
	if f.Kind != "" {
		line += " " + f.Kind
	}
	if f.Required {
		line += " required"
	}
	for _, c := range f.Choices {
		line += fmt.Sprintf(" [%s %q]", c.Value, c.Text)
	}
	s.printf("%s", line)
}

func textOf(v any) string { return fmt.Sprint(v) }
