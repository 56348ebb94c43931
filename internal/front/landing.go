package front

import "net/http"

// Landing is the page at the root: what this is, and where to go from here.
type Landing struct {
	Shell *Shell
	// Note is a sentence on how this process runs, such as that it is a demonstration; empty for none.
	Note  string
	Links []Link
}

// Mount adds GET /. It reports a mistake in the page itself.
func (l Landing) Mount(routes Routes) error {
	page, err := NewPage[Landing](l.Shell, pageFiles, "pages/landing.html")
	if err != nil {
		return err
	}
	routes.Handle("GET /{$}", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page.Write(w, r, http.StatusOK, Frame{Title: "otpost", Current: "/", Wide: true}, l)
	}))
	return nil
}
