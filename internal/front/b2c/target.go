package b2c

import (
	"fmt"
	"net/http"
	"path"
	"strings"

	"github.com/otpost/otpost/internal/front"
	"github.com/otpost/otpost/internal/suggest"
	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

// target is what a path names.
type target struct {
	policy *trustframework.Policy
	// name is that of the policy.
	name string
	// profile, or control and action, are ids as the policy writes them.
	profile, control, action string
}

// String names the target in a log.
func (t target) String() string {
	if t.profile != "" {
		return t.name + " " + t.profile
	}
	return strings.TrimSpace(t.name + " " + t.control + " " + t.action)
}

// find looks up what the path of a request names. Its error is a front.Problem.
func (h *Handler) find(r *http.Request) (target, error) {
	t, err := h.findPolicy(r.PathValue("policy"))
	if err != nil {
		return t, err
	}
	id := r.PathValue("id")
	if strings.Contains(r.Pattern, "/technicalprofiles/") {
		return t, t.setProfile(id)
	}
	return t, t.setControl(id, r.PathValue("action"))
}

func (h *Handler) findPolicy(id string) (target, error) {
	p, ok := h.Policies.Policy(id)
	if !ok {
		return target{}, h.unknownPolicy(id)
	}
	return target{policy: p, name: p.Name()}, nil
}

// unknownPolicy says why there is no such policy: its file may have been refused.
func (h *Handler) unknownPolicy(id string) error {
	const most = 3
	var names, refused []string
	for _, p := range h.Policies.Policies {
		names = append(names, p.Name())
	}
	for _, p := range h.Policies.Problems {
		if p.Weight == trustframework.Refused && len(refused) < most {
			refused = append(refused, p.Error())
		}
	}
	for _, name := range names {
		if strings.EqualFold(path.Base(name), id) {
			return missing(front.Problem{Code: "no_such_policy", Title: "No such policy"},
				fmt.Sprintf("Several folders have a policy %s: name the folder too, as in %s.", path.Base(name), strings.ReplaceAll(name, "/", "%2F")))
		}
	}
	detail := sentence("There is no policy " + cut(id) + near(id, names))
	if len(refused) > 0 {
		detail += " Some files were refused at the start: " + strings.Join(refused, "; ") + "."
	}
	return missing(front.Problem{Code: "no_such_policy", Title: "No such policy"},
		detail)
}

func (t *target) setProfile(id string) error {
	found, ok := t.policy.TechnicalProfile(id)
	if !ok {
		var ids []string
		for _, p := range t.policy.TechnicalProfiles {
			ids = append(ids, p.ID)
		}
		return missing(front.Problem{Code: "no_such_technical_profile", Title: "No such technical profile"},
			fmt.Sprintf("The policy %s has no technical profile %s%s", t.name, cut(id), near(id, ids)))
	}
	t.profile = found.ID
	return nil
}

// page refuses the page of a profile that has none. Nothing is wrong with the policy then.
func (t target) page() error {
	found, ok := t.policy.TechnicalProfile(t.profile)
	if !ok || found.Protocol.HandlerType() == execute.SelfAsserted {
		return nil
	}
	return missing(front.Problem{Code: "no_such_technical_profile", Title: "No such technical profile"},
		"The technical profile "+t.profile+" has no page, since it is not self-asserted. Call it with POST and the key of an application")
}

// host finds the profile whose page the person is said to be at. What is none is told to the caller alone: a text that
// anybody may write has no business in the log.
func (t *target) host(id string) (string, error) {
	if id == "" {
		return "", nil
	}
	found, ok := t.policy.TechnicalProfile(id)
	if !ok {
		var ids []string
		for _, p := range t.policy.TechnicalProfiles {
			if p.Protocol.HandlerType() == execute.SelfAsserted {
				ids = append(ids, p.ID)
			}
		}
		return "", badQuery(sentence("The host " + cut(id) + " is no self-asserted technical profile of the policy " + t.name + near(id, ids)))
	}
	return found.ID, nil
}

// setControl finds a control, and its action unless that is empty.
func (t *target) setControl(id, action string) error {
	found, ok := t.policy.DisplayControl(id)
	if !ok {
		var ids []string
		for _, c := range t.policy.DisplayControls {
			ids = append(ids, c.ID)
		}
		return missing(front.Problem{Code: "no_such_display_control", Title: "No such display control"},
			fmt.Sprintf("The policy %s has no display control %s%s", t.name, cut(id), near(id, ids)))
	}
	t.control = found.ID
	if action == "" {
		return nil
	}
	a, ok := found.Action(action)
	if !ok {
		var ids []string
		for _, a := range found.Actions {
			ids = append(ids, a.ID)
		}
		return missing(front.Problem{Code: "no_such_action", Title: "No such action"},
			fmt.Sprintf("%s: the display control %s has no action %s%s", found.At, found.ID, cut(action), near(action, ids)))
	}
	t.action = a.ID
	return nil
}

// near ends an answer about an unknown name. Known names are listed where they are few; there may be thousands.
func near(id string, known []string) string { return suggest.Few(id, known, 20) }

func missing(p front.Problem, detail string) error {
	p.Status, p.Detail = http.StatusNotFound, sentence(detail)
	return p
}

// sentence ends a text, which may be a question already.
func sentence(text string) string {
	if strings.HasSuffix(text, "?") || strings.HasSuffix(text, ".") {
		return text
	}
	return text + "."
}

// cut keeps what a stranger wrote from filling an answer.
func cut(name string) string {
	const most = 64
	if text := []rune(name); len(text) > most {
		return string(text[:most]) + "…"
	}
	return name
}
