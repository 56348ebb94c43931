package trustframework

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// namespace is that of policies (TrustFrameworkPolicy_0.3.0.0.xsd).
const namespace = "http://schemas.microsoft.com/online/cpim/schemas/2013/06"

// maxNesting bounds how deep elements are within each other. A policy needs about 12.
const maxNesting = 32

// setting is a value that is put in before a policy is uploaded, by Microsoft's editor extension or a script.
var setting = regexp.MustCompile(`(?i)\{Settings:([^{}]*)\}`)

// parser makes elements of one file.
type parser struct {
	file     string
	settings map[string]string
	problems *problems
	decoder  *xml.Decoder
	root     *element
	open     []*element
	// texts are what the open elements hold beside elements. Comments cut it into pieces.
	texts [][]byte
	// foreign counts the open elements of other namespaces, which are no part of the policy.
	foreign int
}

// parse reads a file's text. Nothing outside of it is ever opened: a document type, with which entities and other files
// would come in, is refused.
func parse(file string, data []byte, settings map[string]string, problems *problems) (*element, error) {
	p := &parser{file: file, settings: settings, problems: problems, decoder: xml.NewDecoder(bytes.NewReader(data))}
	p.decoder.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	for {
		line, column := p.decoder.InputPos()
		token, err := p.decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, p.malformed(err)
		}
		if err := p.take(token, Origin{file, line, column}); err != nil {
			return nil, err
		}
	}
	if p.root == nil {
		return nil, &misread{1, 1, "there is no element in it"}
	}
	return p.root, nil
}

func (p *parser) malformed(err error) error {
	line, column := p.decoder.InputPos()
	reason := err.Error()
	if syntax := (*xml.SyntaxError)(nil); errors.As(err, &syntax) {
		reason = syntax.Msg
	}
	return &misread{line, column, "not well-formed XML: " + reason}
}

func (p *parser) take(token xml.Token, at Origin) error {
	switch t := token.(type) {
	case xml.StartElement:
		return p.start(t, at)
	case xml.EndElement:
		return p.end()
	case xml.CharData:
		return p.characters(t, at)
	case xml.Directive:
		return &misread{at.Line, at.Column, "a document type (<!DOCTYPE …>) is refused, and the entities with it; take it out"}
	}
	return nil
}

func (p *parser) start(t xml.StartElement, at Origin) error {
	switch {
	case len(p.open)+p.foreign >= maxNesting:
		return &misread{at.Line, at.Column, fmt.Sprintf("elements are more than %d deep", maxNesting)}
	case p.root != nil && len(p.open) == 0:
		return &misread{at.Line, at.Column, fmt.Sprintf("not well-formed XML: <%s> follows the end of the root element", t.Name.Local)}
	case p.root == nil && t.Name.Local != "TrustFrameworkPolicy":
		return &misread{at.Line, at.Column, fmt.Sprintf("the root element is %s, and a policy's is TrustFrameworkPolicy", t.Name.Local)}
	case p.root == nil && t.Name.Space != namespace:
		return &misread{at.Line, at.Column, fmt.Sprintf("the root element is in the namespace %q, and a policy's is %s", t.Name.Space, namespace)}
	case p.foreign > 0:
		p.foreign++
		return nil
	case t.Name.Space != namespace:
		p.problems.add(at, Odd, "<%s> is not of the policy's namespace and is not read", t.Name.Local)
		p.foreign++
		return nil
	}
	e := &element{name: t.Name.Local, at: at, size: 1}
	if err := p.attributes(e, t.Attr); err != nil {
		return err
	}
	if p.root == nil {
		p.root = e
	}
	p.open, p.texts = append(p.open, e), append(p.texts, nil)
	return nil
}

func (p *parser) attributes(e *element, written []xml.Attr) error {
	seen := map[xml.Name]bool{}
	for _, a := range written {
		if seen[a.Name] {
			return &misread{e.at.Line, e.at.Column, fmt.Sprintf("not well-formed XML: <%s> has the attribute %s twice", e.name, a.Name.Local)}
		}
		seen[a.Name] = true
		if a.Name.Space != "" || a.Name.Local == "xmlns" {
			continue
		}
		value, err := p.set(a.Value, e.at)
		if err != nil {
			return err
		}
		if !verbatim[a.Name.Local] {
			value = strings.TrimSpace(value)
		}
		e.attributes = append(e.attributes, attribute{a.Name.Local, value})
	}
	return nil
}

func (p *parser) end() error {
	if p.foreign > 0 {
		p.foreign--
		return nil
	}
	last := len(p.open) - 1
	e, written := p.open[last], p.texts[last]
	p.open, p.texts = p.open[:last], p.texts[:last]
	text, err := p.set(string(bytes.TrimSpace(written)), e.at)
	if err != nil {
		return err
	}
	e.text = text
	if last > 0 {
		above := p.open[last-1]
		above.children = append(above.children, e)
		above.size += e.size
	}
	return nil
}

func (p *parser) characters(text []byte, at Origin) error {
	last := len(p.open) - 1
	switch blank := len(bytes.TrimSpace(text)) == 0; {
	case p.foreign > 0:
	case last < 0 && !blank:
		return &misread{at.Line, at.Column, "not well-formed XML: there is text outside of the root element"}
	case last >= 0 && (!blank || len(p.texts[last]) > 0):
		p.texts[last] = append(p.texts[last], text...)
	}
	return nil
}

// set puts settings in.
func (p *parser) set(text string, at Origin) (string, error) {
	if !strings.Contains(text, "{") {
		return text, nil
	}
	var missing error
	text = setting.ReplaceAllStringFunc(text, func(found string) string {
		name := setting.FindStringSubmatch(found)[1]
		value, known := p.settings[Fold(name)]
		if !known && missing == nil {
			missing = &misread{at.Line, at.Column, fmt.Sprintf("the setting %q has no value; put one into the file, or give it with --setting %[1]s=VALUE, to a server with b2c_settings", name)}
		}
		return value
	})
	return text, missing
}
