package front

import (
	"net/http"
	"strconv"
	"strings"
)

// refuse answers with a page for a browser and with a problem document for everybody else.
func (p *passage) refuse(w http.ResponseWriter, r *http.Request, problem Problem) {
	h := w.Header()
	h.Del("Content-Length")
	h.Add("Vary", "Accept")
	if p.Shell != nil && PrefersHTML(r.Header.Get("Accept")) {
		p.Shell.refuse(w, r, problem)
		return
	}
	problem.Write(w, r)
}

// PrefersHTML reads an Accept header (RFC 9110 §12.5.1): whether text/html is asked for by name, and no less than JSON.
// Programs that send */* or nothing get JSON.
func PrefersHTML(accept string) bool {
	html, json := 0.0, 0.0
	for part := range strings.SplitSeq(accept, ",") {
		kind, params, _ := strings.Cut(part, ";")
		switch strings.ToLower(strings.TrimSpace(kind)) {
		case "text/html", "application/xhtml+xml":
			html = max(html, quality(params))
		case "application/json", "application/problem+json":
			json = max(json, quality(params))
		}
	}
	return html > 0 && html >= json
}

// quality reads q out of the parameters of a media range; 1 when it has none, 0 when it cannot be read.
func quality(params string) float64 {
	for param := range strings.SplitSeq(params, ";") {
		name, value, ok := strings.Cut(strings.TrimSpace(param), "=")
		if ok && strings.EqualFold(name, "q") {
			q, err := strconv.ParseFloat(value, 64)
			if err != nil || !(q >= 0 && q <= 1) {
				return 0
			}
			return q
		}
	}
	return 1
}

// routeOf is a mux pattern without its method.
func routeOf(pattern string) string {
	if pattern == "" {
		return "unmatched"
	}
	if _, path, ok := strings.Cut(pattern, " "); ok {
		return path
	}
	return pattern
}

// knownMethod keeps strangers from inventing metric labels.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodOptions, http.MethodConnect, http.MethodTrace:
		return method
	}
	return "OTHER"
}
