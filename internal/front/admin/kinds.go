package admin

import (
	"net/http"

	"github.com/otpost/otpost/internal/access"
	"github.com/otpost/otpost/internal/provider"
	"github.com/otpost/otpost/internal/registry"
)

// kindBody is one kind of provider: what a form asks for.
type kindBody struct {
	Name     string   `json:"name"`
	Doc      string   `json:"doc"`
	Channels []string `json:"channels"`
	// Reports tells whether providers of the kind can say later what became of a message.
	Reports bool        `json:"reports"`
	Fields  []fieldBody `json:"fields"`
	// Schema is of a whole provider of this kind.
	Schema *registry.Schema `json:"schema"`
}

type fieldBody struct {
	Name     string   `json:"name"`
	Type     string   `json:"type"`
	Help     string   `json:"help"`
	Default  string   `json:"default,omitempty"`
	Required bool     `json:"required"`
	Secret   bool     `json:"secret"`
	Place    bool     `json:"place"`
	Choices  []string `json:"choices,omitempty"`
}

// providerStates answers GET /v1/provider-states: every provider, also those that are no documents.
func (h *Handler) providerStates(w http.ResponseWriter, r *http.Request, _ access.Caller) error {
	states, err := h.Registry.ProviderStates(r.Context())
	if err != nil {
		return err
	}
	if states == nil {
		states = []registry.ProviderState{}
	}
	return reply(w, http.StatusOK, map[string]any{"provider_states": states})
}

// providerKinds answers GET /v1/provider-kinds.
func providerKinds(w http.ResponseWriter, _ *http.Request, _ access.Caller) error {
	list := []kindBody{}
	for _, kind := range provider.Kinds() {
		body := kindBody{Name: kind.Name, Doc: kind.Doc, Reports: kind.Receipts != nil, Fields: []fieldBody{}, Schema: registry.ProviderSchema(kind)}
		for _, channel := range kind.Channels {
			body.Channels = append(body.Channels, string(channel))
		}
		for _, f := range kind.Fields() {
			body.Fields = append(body.Fields, fieldBody{f.Name, f.Type, f.Help, f.Default, f.Required, f.Secret, f.Place, f.OneOf})
		}
		list = append(list, body)
	}
	return reply(w, http.StatusOK, map[string]any{"provider_kinds": list})
}
