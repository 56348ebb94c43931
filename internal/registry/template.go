package registry

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"unicode"

	"github.com/otpost/otpost/internal/compose"
	"github.com/otpost/otpost/internal/provider"
)

// templates keeps what was compiled: every message that a template can be chosen for is tried when it is, which is not to
// be done again because another document changed.
type templates struct {
	mu    sync.Mutex
	known map[string]*compose.Template
}

// maxKnown bounds the memory of templates; past it the memory starts anew.
const maxKnown = 1000

// compile compiles a template, or remembers it.
func (k *templates) compile(d compose.TemplateDocument, body string, rules compose.Rules, stored bool) (*compose.Template, error) {
	key := d.Name + "\x00" + body
	k.mu.Lock()
	t, ok := k.known[key]
	k.mu.Unlock()
	if ok {
		return t, nil
	}
	if stored {
		return compose.Parse(d, rules)
	}
	t, err := compose.Compile(d, rules)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.known == nil || len(k.known) >= maxKnown {
		k.known = map[string]*compose.Template{}
	}
	k.known[key] = t
	return t, nil
}

var errNoComposer = errors.New("this process composes no messages")

func (c *compiler) template(d Document, document *compose.TemplateDocument, rules Rules) error {
	if rules.Composer == nil {
		return errNoComposer
	}
	document.Name = d.Name
	key := document.Key()
	if other, taken := c.templateKeys[key]; taken {
		return fmt.Errorf("%s is for the same channel, application, purpose and language; change one, or delete it", other)
	}
	c.templateKeys[key] = d.Name
	compiled, err := rules.templates.compile(*document, string(d.Body), rules.compose(), c.stored)
	if err != nil {
		return err
	}
	c.templates = append(c.templates, compiled)
	return nil
}

func (r *Rules) compose() compose.Rules {
	return compose.Rules{Composer: r.Composer, Segments: provider.Segments}
}

// Templates are those that messages are composed with.
func (s *Snapshot) Templates() []*compose.Template { return s.templates }

// House is what templates may say about who runs otpost. There is one, named "house".
type House struct {
	// Tenant is a short name, Name the one that people know.
	Tenant       string `json:"tenant,omitempty" help:"A short name."`
	Name         string `json:"friendly_name,omitempty" help:"The name that people know."`
	SupportEmail string `json:"support_email,omitempty" help:"Where people write to for help."`
	SupportURL   string `json:"support_url,omitempty" help:"Page where people find help, an https URL."`
}

// HouseName is the only name of a house.
const HouseName = "house"

const maxHouseText = 200

func (c *compiler) ourHouse(name string, h *House) error {
	if name != HouseName {
		return fmt.Errorf("the only house is named %s", HouseName)
	}
	for member, text := range map[string]string{"tenant": h.Tenant, "friendly_name": h.Name, "support_email": h.SupportEmail, "support_url": h.SupportURL} {
		if len(text) > maxHouseText || strings.ContainsFunc(text, unicode.IsControl) {
			return fmt.Errorf("%s: want at most %d characters on one line", member, maxHouseText)
		}
	}
	if h.SupportURL != "" && !strings.HasPrefix(h.SupportURL, "https://") {
		return errors.New("support_url: want an https URL")
	}
	c.house = compose.House(*h)
	return nil
}

// House is what templates say about who runs otpost.
func (s *Snapshot) House() compose.House { return s.house }
