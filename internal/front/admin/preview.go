package admin

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/otpost/otpost/internal/access"
	"github.com/otpost/otpost/internal/registry"
)

// preview answers POST /v1/templates/{name}/preview?language=TAG: what a template says, in every language or in one.
// Without a body it is the stored template. Nothing is kept.
func (d *documents) preview(w http.ResponseWriter, r *http.Request, _ access.Caller) error {
	name := r.PathValue("name")
	var body json.RawMessage
	if r.ContentLength != 0 {
		var err error
		if name, body, err = d.read(w, r); err != nil {
			return err
		}
	}
	renderings, err := d.Registry.PreviewTemplate(r.Context(), name, body, r.URL.Query().Get("language"))
	var none *registry.NoRenderingError
	if errors.As(err, &none) {
		return invalidQuery("language: " + none.Error() + ".")
	}
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, map[string]any{"renderings": renderings})
}
