// Package front is how protocols are mounted: the routes, the middleware every request passes, and what all pages
// share. Each protocol is a door in a folder of its own; doors do not know each other.
package front

import "net/http"

// Routes is where a door mounts its paths. *http.ServeMux is one.
type Routes interface {
	// Handle registers a handler for a net/http pattern such as "POST /v1/passcodes".
	Handle(pattern string, handler http.Handler)
}
