package front

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
)

// Assets are static files under names that hold a hash of their content, so that a browser may keep them for a year
// and still sees the next release at once.
type Assets struct {
	prefix string
	urls   map[string]string
	files  map[string]asset
}

type asset struct {
	kind string
	body []byte
}

// NewAssets reads every file at the root of files. prefix is the folder of their URLs, such as "/assets/".
func NewAssets(prefix string, files fs.FS) (*Assets, error) {
	a := &Assets{prefix: prefix, urls: map[string]string{}, files: map[string]asset{}}
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return nil, fmt.Errorf("list assets: %w", err)
	}
	for _, entry := range entries {
		name := entry.Name()
		kind := assetKind(path.Ext(name))
		if kind == "" {
			return nil, fmt.Errorf("asset %s: its media type is unknown; add it to assetKind", name)
		}
		body, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("read asset: %w", err)
		}
		sum := sha256.Sum256(body)
		stem, ext := strings.TrimSuffix(name, path.Ext(name)), path.Ext(name)
		hashed := stem + "." + hex.EncodeToString(sum[:6]) + ext
		a.urls[name] = prefix + hashed
		a.files[hashed] = asset{kind: kind, body: body}
	}
	return a, nil
}

// assetKind is a closed list rather than the machine's own table of media types, which differs between machines.
func assetKind(ext string) string {
	switch ext {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return ""
}

// URL is the address of a file, an error when there is no such file: a template that names one fails when it is
// first drawn, which NewPage does.
func (a *Assets) URL(name string) (string, error) {
	url, ok := a.urls[name]
	if !ok {
		return "", fmt.Errorf("no asset %q", name)
	}
	return url, nil
}

// Mount adds the files' path.
func (a *Assets) Mount(routes Routes) {
	routes.Handle("GET "+a.prefix+"{name}", http.HandlerFunc(a.serve))
}

func (a *Assets) serve(w http.ResponseWriter, r *http.Request) {
	file, ok := a.files[r.PathValue("name")]
	if !ok {
		unmatched(http.StatusNotFound, "").Write(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", file.kind)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Content-Length", strconv.Itoa(len(file.body)))
	w.Write(file.body)
}
