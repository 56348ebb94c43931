package b2c

import (
	"net/http"
	"net/url"

	"github.com/otpost/otpost/internal/front"
	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

// listPage is GET /b2c.
type listPage struct {
	Policies []policyView
	// Refused are files that hold no policy that can be tried.
	Refused []string
}

type policyView struct {
	Name            string
	Controls, Pages []linkView
}

// linkView leads to a page; About says what it is, where the policy does.
type linkView struct{ Text, Path, About string }

func (p *pages) serveList(w http.ResponseWriter, r *http.Request) {
	var content listPage
	for _, policy := range p.Policies.Policies {
		view := policyView{Name: policy.Name()}
		base := "/b2c/" + url.PathEscape(view.Name)
		for _, c := range policy.DisplayControls {
			view.Controls = append(view.Controls, linkView{Text: c.ID, Path: base + "/displaycontrols/" + url.PathEscape(c.ID)})
		}
		for _, t := range policy.TechnicalProfiles {
			if t.Protocol.HandlerType() == execute.SelfAsserted && !blank(t) {
				view.Pages = append(view.Pages, linkView{t.ID, base + "/technicalprofiles/" + url.PathEscape(t.ID), t.DisplayName})
			}
		}
		content.Policies = append(content.Policies, view)
	}
	for _, problem := range p.Policies.Problems {
		if problem.Weight == trustframework.Refused {
			content.Refused = append(content.Refused, problem.Error())
		}
	}
	p.list.Write(w, r, http.StatusOK, front.Frame{Title: "Policies", Current: "/b2c"}, content)
}

// blank finds profiles that are there to be included: they show nothing and do nothing.
func blank(t *trustframework.TechnicalProfile) bool {
	return len(t.InputClaims)+len(t.DisplayClaims)+len(t.OutputClaims)+len(t.Validations) == 0
}
