package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/otpost/otpost/internal/registry"
)

type templateCommand struct {
	Preview templatePreviewCommand `cmd:"" help:"Show what a template says in every language."`
}

// Help is the detail under --help.
func (*templateCommand) Help() string {
	return `Example:

	otpost template preview settings.yaml --out preview`
}

type templatePreviewCommand struct {
	Template string `arg:"" name:"file|name" help:"File of settings, - for the input, or the name of a stored template. A name has neither dot nor slash."`
	Name     string `placeholder:"NAME" help:"Which template of the file, if it has several."`
	Language string `placeholder:"TAG" help:"Show this language alone, such as de."`
	Out      string `placeholder:"DIR" help:"Write the messages into this folder, with an index.html that shows all of them."`

	targetFlags
}

// Help is the detail under --help.
func (*templatePreviewCommand) Help() string {
	return `Renders sample content in every language that the template can be chosen for. Nothing is kept and nothing is sent: a template can be looked at before it is applied. Of a file only the templates are read, so that no secret of it is needed.

With --out there is a text file for each language, for a mail an HTML file too, and an index.html to open in a browser: every language side by side, in light and in dark.

A template that fails in some language is shown in the others, and the exit code is 3.

` + targetHelp + `

Example:

	otpost template preview settings.yaml --name welcome
	otpost template preview welcome --language de
	otpost template preview settings.yaml --name welcome --out preview`
}

// previewed is a preview as the API answers it.
type previewed struct {
	Renderings []registry.Rendering `json:"renderings"`
}

// WriteText writes the texts, one language after the other.
func (p previewed) WriteText(w io.Writer) {
	for i, r := range p.Renderings {
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintln(w, inert(list(r.Language, r.Name, segmentsOf(r))))
		if r.Problem != nil {
			fmt.Fprintf(w, "    ! %s\n", inert(r.Problem.String()))
			continue
		}
		if r.Subject != "" {
			fmt.Fprintf(w, "    Subject: %s\n\n", inert(r.Subject))
		}
		for line := range strings.Lines(r.Text) {
			fmt.Fprintln(w, strings.TrimRight("    "+inert(strings.TrimRight(line, "\r\n")), " "))
		}
	}
}

// segmentsOf says how long an SMS is.
func segmentsOf(r registry.Rendering) string {
	switch r.Segments {
	case 0:
		return ""
	case 1:
		return "1 segment"
	}
	return fmt.Sprintf("%d segments", r.Segments)
}

// failed is an error that names the languages without a message, nil when each has one.
func (p previewed) failed() error {
	var tags []string
	for _, r := range p.Renderings {
		if r.Problem != nil {
			tags = append(tags, r.Language)
		}
	}
	if len(tags) == 0 {
		return nil
	}
	return &exitError{exitRefused, fmt.Errorf("the template fails in %s", inert(strings.Join(tags, ", ")))}
}

// Run shows the template.
func (c *templatePreviewCommand) Run(ctx context.Context, p *Program) error {
	file, name, body, err := c.find(p)
	if err != nil {
		return err
	}
	target, err := c.target(p)
	if err != nil {
		return err
	}
	var shown previewed
	if shown.Renderings, err = target.preview(ctx, name, body, c.Language); err != nil {
		if file != nil {
			err = file.placed(err)
		}
		return err
	}
	var result Result = shown
	if c.Out != "" {
		if result, err = writePreview(c.Out, name, shown); err != nil {
			return err
		}
	}
	return cmp.Or(p.print(result), shown.failed())
}

// find finds the template. The body is nil for a stored one.
func (c *templatePreviewCommand) find(p *Program) (file *settingsFile, name string, body json.RawMessage, err error) {
	if c.Template != "-" && !strings.ContainsAny(c.Template, `./\`) {
		if c.Name != "" {
			return nil, "", nil, usageErrorf("--name is for a file")
		}
		return nil, c.Template, nil, nil
	}
	if file, err = readSettingsFile(p, c.Template, registry.TemplateKind); err != nil {
		return nil, "", nil, err
	}
	var set struct{ Templates []json.RawMessage }
	if err := decode(file.set, &set); err != nil {
		return nil, "", nil, err
	}
	var names []string
	for _, template := range set.Templates {
		found, rest, err := registry.CutName(template)
		if err != nil {
			return nil, "", nil, err
		}
		names = append(names, found)
		if found == c.Name || c.Name == "" && len(set.Templates) == 1 {
			return file, found, rest, nil
		}
	}
	switch {
	case len(names) == 0:
		err = usageErrorf("%s: there is no template in it", file.path)
	case c.Name == "":
		err = usageErrorf("%s: there are several templates in it; choose one with --name: %s", file.path, strings.Join(names, ", "))
	default:
		err = usageErrorf("%s: there is no template %q in it; there is %s", file.path, c.Name, strings.Join(names, ", "))
	}
	return nil, "", nil, err
}
