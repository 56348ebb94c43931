package compose

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/locale"
	"github.com/otpost/otpost/internal/outbox"
)

// Rules are what a document is held to.
type Rules struct {
	// Composer has the catalogues, the house and the default language that messages will be rendered with.
	Composer *Composer
	// Segments counts the parts that a text is sent as in an SMS. Where it is nil nobody is warned of a long one.
	Segments func(text string) int
	// MaxSegments is how many parts an SMS may take before its author is warned; 0 means 2.
	MaxSegments int
	// Timeout bounds the trial of all messages; 0 means 30 seconds. A trial in every language takes some 50 milliseconds.
	Timeout time.Duration
}

func (r Rules) timeout() time.Duration {
	if r.Timeout == 0 {
		return 30 * time.Second
	}
	return r.Timeout
}

// maxProblems is how many problems are told at a time.
const maxProblems = 20

// Parse makes a document ready that passed Compile when it was kept: it is read and its form is checked, without the
// trial of every message, so that a process with many templates starts soon. An error is of type Problems.
func Parse(document TemplateDocument, rules Rules) (*Template, error) {
	t, found := document.parse(dialectOf(rules.Composer.Catalogues))
	if len(found) > 0 {
		return nil, found
	}
	t.Warnings = t.empties()
	return t, nil
}

// Compile checks a document and makes it ready. An error is of type Problems. A document passes when every message it
// can be chosen for was rendered in trial: in every language, for every purpose, with and without the application's
// name and the lifetime, and with a hostile name; and each of them shows its code.
func Compile(document TemplateDocument, rules Rules) (*Template, error) {
	t, err := Parse(document, rules)
	if err != nil {
		return nil, err
	}
	timeout := rules.timeout()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	trial := trial{template: t, rules: rules, ctx: ctx, once: map[string]bool{}}
	for _, l := range trial.languages() {
		for _, purpose := range trial.purposes() {
			trial.run(l, purpose)
			if ctx.Err() != nil {
				return nil, Problems{{Field: "text", Problem: fmt.Sprintf("rendering every message takes longer than %s; make the template simpler", timeout)}}
			}
		}
		if len(trial.found) > 0 {
			return nil, trial.found // the other languages have the same to say, nearly always
		}
	}
	t.Warnings = slices.Concat(t.Warnings, trial.tooLong, trial.warnings)
	return t, nil
}

// trial is all the messages that a template can be chosen for.
type trial struct {
	template *Template
	rules    Rules
	ctx      context.Context
	found    Problems
	warnings Problems
	// tooLong is the warning of the longest SMS, which takes longest parts.
	tooLong Problems
	longest int
	once    map[string]bool // what needs no second trial
}

func (r *trial) languages() []locale.Language {
	c := r.rules.Composer.Catalogues
	if r.template.language != "" {
		return []locale.Language{c.Match(r.template.language, r.rules.Composer.Language)}
	}
	return c.Languages()
}

func (r *trial) purposes() []string {
	if r.template.Document.Purpose != "" {
		return []string{r.template.Document.Purpose}
	}
	return purposeNames()
}

// Codes for trials. There are two: a template that has one of them written in it does not show the other.
const (
	trialCode      = "730518"
	otherTrialCode = "294067"
)

// hostileName is a name that would change a page or a text if it could. The word in it is searched for afterwards.
const (
	hostileWord = "zqhostile"
	hostileName = hostileWord + `" x='y' z=z <i></title></style>-->` + "\r\nBcc: a@b.example\n\n@b.example #000000"
)

// run tries one language and purpose.
func (r *trial) run(l locale.Language, purpose string) {
	content := Content{Channel: r.template.Document.Channel, To: "ana@example.org", Code: trialCode, Application: "Contoso",
		ApplicationID: "contoso", Purpose: purpose, Locale: l.Tag(), Lifetime: 10 * time.Minute, Domain: "login.example.org"}
	if r.template.Document.Application != "" {
		content.ApplicationID = r.template.Document.Application
	}
	if content.Channel == outbox.SMS {
		content.To = "+4930123456"
	}
	honest, ok := r.try(content, l, "", r.wrong)
	if ok {
		r.measure(honest, l)
		r.attack(honest, content, l)
	}
	for _, v := range variants {
		if v.once && r.once[purpose+v.says] {
			continue
		}
		r.once[purpose+v.says] = true
		changed := content
		v.change(&changed)
		tell := r.wrong
		if v.advice {
			tell = r.advise
		}
		r.try(changed, l, v.says, tell)
	}
}

// variants are the messages that are tried beside the one of which everything is known. Once means in one language:
// what varies is no matter of the catalogue.
var variants = []struct {
	says         string
	once, advice bool
	change       func(*Content)
}{
	{says: "no application", change: func(c *Content) { c.Application = "" }},
	{says: "lifetime unknown", change: func(c *Content) { c.Lifetime = 0 }},
	{says: "no application, lifetime unknown, another code", change: func(c *Content) {
		c.Application, c.Lifetime, c.Domain, c.Code = "", 0, "", otherTrialCode
	}},
	{says: "no language asked for", once: true, change: func(c *Content) { c.Locale = "" }},
	// Templates of houses whose codes have six digits take these apart. They work for such codes.
	{says: "a code of letters", once: true, advice: true, change: func(c *Content) { c.Code = "KXWT-QPRM" }},
}

// try renders one message and tells what is wrong with it.
func (r *trial) try(content Content, l locale.Language, says string, tell func(Problem)) (outbox.Message, bool) {
	m, err := r.template.example(r.ctx, r.rules.Composer, content, l)
	// A page may hold the code where it is not shown, which is looked for here and not with every message.
	if err == nil && m.HTML != "" && !shows(plainText(m.HTML, m.Code), m.Code) {
		err = &fieldError{"html", errNoCode}
	}
	if err == nil {
		return m, true
	}
	tell(problemOf("text", r.name(m, content, says), err))
	return m, false
}

// name says which message was tried.
func (r *trial) name(m outbox.Message, content Content, says string) string {
	tried := m.Language + ", " + content.Purpose
	if says != "" {
		tried += ", " + says
	}
	return tried
}

// advise keeps a warning, and says that the built-in wording takes over.
func (r *trial) advise(p Problem) {
	p.Problem += "; such messages are said in the built-in wording"
	if len(r.warnings) == 0 {
		r.warnings = Problems{p}
	}
}

// wrong keeps a problem, the first of all messages that have it.
func (r *trial) wrong(p Problem) {
	same := func(other Problem) bool {
		return other.Field == p.Field && other.Line == p.Line && other.Column == p.Column && other.Problem == p.Problem
	}
	if len(r.found) < maxProblems && !slices.ContainsFunc(r.found, same) {
		r.found = append(r.found, p)
	}
}

// attack renders with hostile values and compares: these may be shown, and may change nothing else.
func (r *trial) attack(honest outbox.Message, content Content, l locale.Language) {
	content.Application = hostileName
	if content.Channel == outbox.Email {
		content.To = `"<i>` + hostileWord + `"@example.org`
	}
	hostile, ok := r.try(content, l, "a hostile name", r.wrong)
	if !ok {
		return
	}
	if problem := pageProblem(honest.HTML, hostile.HTML); problem != "" {
		r.wrong(Problem{Field: "html", Case: r.name(honest, content, "a hostile name"), Problem: problem})
	}
}

// measure warns of an SMS that takes many parts.
func (r *trial) measure(m outbox.Message, l locale.Language) {
	if m.Channel != outbox.SMS || r.rules.Segments == nil {
		return
	}
	limit := r.rules.MaxSegments
	if limit == 0 {
		limit = 2
	}
	if n := r.rules.Segments(m.Text); n > limit && n > r.longest {
		r.longest = n
		r.tooLong = Problems{{Field: "text", Case: r.name(m, Content{Purpose: m.Purpose}, ""),
			Problem: fmt.Sprintf("the SMS takes %d parts, each of which is charged; more than %d are seldom wanted", n, limit)}}
	}
}

// example renders a message in the words of one language.
func (t *Template) example(ctx context.Context, c *Composer, content Content, l locale.Language) (outbox.Message, error) {
	m := outbox.Message{Channel: content.Channel, To: content.To, Language: l.Tag(), Code: content.Code,
		Application: Inert(content.Application), Purpose: purposeOf(content.Purpose).String(), Passcode: content.Passcode}
	if t.language != "" {
		m.Language = t.language
	}
	if content.Channel != t.Document.Channel {
		return m, &fieldError{"channel", errors.New("the template is for another channel")}
	}
	return m, t.render(ctx, c, &m, l, &content)
}

// empties warns of variables that are always empty here.
func (t *Template) empties() Problems {
	var found Problems
	for _, field := range t.fields.all() {
		for _, use := range field.template.Uses() {
			if v, ok := variableOf(use.Variable); ok && v.Empty {
				found = append(found, Problem{Field: field.name, Line: use.Line, Column: use.Column,
					Problem: use.Variable + " is always empty: " + v.Means})
			}
		}
	}
	return found
}

// variableOf finds a variable by its name, or by that of the open one it is below.
func variableOf(path string) (Variable, bool) {
	all := Variables()
	i := slices.IndexFunc(all, func(v Variable) bool {
		open, below := strings.CutSuffix(v.Name, ".*")
		return path == open || below && strings.HasPrefix(path, open+".")
	})
	if i < 0 {
		return Variable{}, false
	}
	return all[i], true
}
