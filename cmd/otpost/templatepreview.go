package main

import (
	_ "embed" // for templatepreview.html
	"fmt"
	"html/template"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/otpost/otpost/internal/registry"
)

//go:embed templatepreview.html
var previewPage string

// previewFolder is what was written into a folder.
type previewFolder struct {
	Index     string `json:"index"`
	Languages int    `json:"languages"`
	// Problems are by language tag.
	Problems map[string]string `json:"problems,omitempty"`
}

// WriteText says where to look.
func (f previewFolder) WriteText(w io.Writer) {
	fmt.Fprintf(w, "wrote %d languages; open %s\n", f.Languages, f.Index)
}

// languageTag is the form of a tag: names of files are made of it.
var languageTag = regexp.MustCompile(`^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$`)

// writePreview writes a file or two for each language, and a page that shows all of them.
func writePreview(folder, name string, shown previewed) (previewFolder, error) {
	made := previewFolder{Index: filepath.Join(folder, "index.html"), Languages: len(shown.Renderings), Problems: map[string]string{}}
	files := map[string]string{}
	for _, r := range shown.Renderings {
		if !languageTag.MatchString(r.Language) {
			return made, fmt.Errorf("the server names the language %q, which is no tag", r.Language)
		}
		if r.Problem != nil {
			made.Problems[r.Language] = r.Problem.String()
			continue
		}
		files[r.Language+".txt"] = r.Text
		if r.HTML != "" {
			files[r.Language+".html"] = r.HTML
		}
	}
	page, err := previewIndex(name, shown.Renderings)
	if err != nil {
		return made, err
	}
	files["index.html"] = page
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return made, usageErrorf("--out: %w", err)
	}
	for file, text := range files {
		if err := os.WriteFile(filepath.Join(folder, file), []byte(text), 0o644); err != nil {
			return made, fmt.Errorf("write preview: %w", err)
		}
	}
	return made, nil
}

// previewIndex is the page that shows every language.
func previewIndex(name string, renderings []registry.Rendering) (string, error) {
	page, err := template.New("preview").Funcs(template.FuncMap{"segments": segmentsOf}).Parse(previewPage)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	err = page.Execute(&b, struct {
		Name       string
		Renderings []registry.Rendering
	}{name, renderings})
	return b.String(), err
}
