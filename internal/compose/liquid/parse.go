package liquid

import (
	"slices"
	"strings"

	"github.com/osteele/liquid/expressions"
)

// parser makes a template of a source.
type parser struct {
	dialect *Dialect
	source  string
	tokens  []token
	next    int
	// locals are the names that the template itself has given values so far.
	locals map[string]bool
	// turns is how often what is being parsed is repeated, 1 outside of loops.
	turns int
	depth int
	steps int
	uses  []use
}

// refused are tags of Liquid that have no place in a message, and why.
var refused = map[string]string{
	"include": "a template is one text and cannot take in another",
	"render":  "a template is one text and cannot take in another",
	"layout":  "a template is one text and cannot take in another",
	"section": "a template is one text and cannot take in another",
	"block":   "a template is one text and cannot take in another",
	"capture": "use assign with the filter append",
	"debug":   "it would show everything that is known to whoever gets the message; take it out",
	"liquid":  "write each tag by itself",
	"echo":    "write {{ … }}",
}

// tags are those there are, for suggestions.
var tags = []string{"assign", "break", "case", "comment", "continue", "cycle", "decrement", "else", "elsif", "endcase",
	"endfor", "endif", "endtablerow", "endunless", "for", "if", "increment", "raw", "tablerow", "unless", "when"}

// parse reads the whole template.
func (p *parser) parse() ([]node, error) {
	nodes, err := p.until()
	if err != nil {
		return nil, err
	}
	if p.next < len(p.tokens) {
		t := p.tokens[p.next]
		return nil, p.errorf(t.at, "%s has nothing that it belongs to", t.name)
	}
	return nodes, nil
}

// until reads up to a tag of the given names, which it leaves to be read, or to any tag that ends or divides a block.
func (p *parser) until(names ...string) ([]node, error) {
	var nodes []node
	for ; p.next < len(p.tokens); p.next++ {
		t := p.tokens[p.next]
		if t.kind == tagToken && (slices.Contains(names, t.name) || divides(t.name)) {
			return nodes, nil
		}
		n, err := p.node(t)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, n)
	}
	return nodes, nil
}

func divides(tag string) bool {
	return tag == "else" || tag == "elsif" || tag == "when" || strings.HasPrefix(tag, "end") && slices.Contains(tags, tag)
}

// node reads one node, and of a block everything up to its end tag, which is left to be passed.
func (p *parser) node(t token) (node, error) {
	if err := p.count(t.at, 1); err != nil {
		return nil, err
	}
	switch t.kind {
	case textToken:
		return text(t.text), nil
	case outputToken:
		e, err := p.expression(t)
		return output{e}, err
	}
	switch t.name {
	case "assign":
		return p.assign(t)
	case "increment", "decrement":
		return p.counter(t)
	case "cycle":
		return p.cycle(t)
	case "break", "continue":
		if p.turns == 1 {
			return nil, p.errorf(t.at, "%s is for the inside of a loop", t.name)
		}
		return leave(t.name == "break"), p.bare(t)
	case "if", "unless":
		return p.block(t, p.condition)
	case "case":
		return p.block(t, p.choice)
	case "for", "tablerow":
		return p.block(t, p.loop)
	}
	if why, known := refused[t.name]; known {
		return nil, p.errorf(t.at, "the tag %s is not available: %s", t.name, why)
	}
	return nil, p.errorf(t.at, "unknown tag %q%s", t.name, meant(t.name, tags))
}

// block bounds how deep blocks are within each other.
func (p *parser) block(t token, read func(token) (node, error)) (node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.errorf(t.at, "blocks are more than %d deep", maxDepth)
	}
	defer func() { p.depth-- }()
	p.next++
	return read(t)
}

// end demands the tag that ends the block which t began.
func (p *parser) end(t token) error {
	if p.next >= len(p.tokens) {
		return p.errorf(t.at, "the %s that begins here has no end%s", t.name, t.name)
	}
	if last := p.tokens[p.next]; last.name != "end"+t.name {
		line, _ := position(p.source, t.at)
		return p.errorf(last.at, "%s stands where end%s belongs, for the %s in line %d", last.name, t.name, t.name, line)
	}
	return p.bare(p.tokens[p.next])
}

func (p *parser) bare(t token) error {
	if t.text != "" {
		return p.errorf(t.textAt, "%s takes nothing", t.name)
	}
	return nil
}

// count adds to the steps that rendering takes.
func (p *parser) count(at, steps int) error {
	if p.steps += steps * p.turns; p.steps > maxSteps {
		return p.errorf(at, "the template takes more than %d steps to render, each turn of its loops counted", maxSteps)
	}
	return nil
}

// condition reads if and unless.
func (p *parser) condition(t token) (node, error) {
	n := condition{}
	test, err := p.expression(t)
	if err != nil {
		return nil, err
	}
	test.negated = t.name == "unless"
	for {
		body, err := p.until()
		if err != nil {
			return nil, err
		}
		n.branches = append(n.branches, branch{tests: []expression{test}, body: body})
		if p.next >= len(p.tokens) || p.tokens[p.next].name != "elsif" {
			break
		}
		if test, err = p.expression(p.tokens[p.next]); err != nil {
			return nil, err
		}
		p.next++
	}
	if n.otherwise, err = p.otherwise(); err != nil {
		return nil, err
	}
	return n, p.end(t)
}

// otherwise reads what follows else, if there is one.
func (p *parser) otherwise() ([]node, error) {
	if p.next >= len(p.tokens) || p.tokens[p.next].name != "else" {
		return nil, nil
	}
	if err := p.bare(p.tokens[p.next]); err != nil {
		return nil, err
	}
	p.next++
	return p.until()
}

// choice reads case.
func (p *parser) choice(t token) (node, error) {
	subject, err := p.expression(t)
	if err != nil {
		return nil, err
	}
	n := choice{subject: subject}
	before, err := p.until()
	if err != nil {
		return nil, err
	}
	for _, b := range before {
		if words, ok := b.(text); !ok || strings.TrimSpace(string(words)) != "" {
			return nil, p.errorf(t.at, "between case and its first when there can be nothing")
		}
	}
	for p.next < len(p.tokens) && p.tokens[p.next].name == "when" {
		tests, err := p.values(p.tokens[p.next])
		if err != nil {
			return nil, err
		}
		p.next++
		body, err := p.until()
		if err != nil {
			return nil, err
		}
		n.branches = append(n.branches, branch{tests: tests, body: body})
	}
	if n.otherwise, err = p.otherwise(); err != nil {
		return nil, err
	}
	return n, p.end(t)
}

// loop reads for and tablerow. The loop's own names are known within it alone.
func (p *parser) loop(t token) (node, error) {
	if p.turns > 1 {
		return nil, p.errorf(t.at, "a loop within a loop is not available")
	}
	words, err := p.lex(t)
	if err != nil {
		return nil, err
	}
	if len(words) < 3 || words[0].kind != identifier || words[1].text != "in" {
		return nil, p.errorf(t.at, "%s is written as {%% %s name in list %%}", t.name, t.name)
	}
	if err := p.check(words[2:], true); err != nil {
		return nil, err
	}
	statement, err := p.statement(expressions.LoopStatementSelector, t)
	if err != nil {
		return nil, err
	}
	variable := words[0].text
	turns := turnsOf(words[2:])
	defer p.know(variable, "forloop", "tablerowloop")()
	p.turns = max(turns, 2) // more than 1 even where it is never repeated: this is how a loop within is found
	body, err := p.until()
	p.turns = 1
	if err != nil {
		return nil, err
	}
	otherwise, err := p.otherwise()
	if err != nil {
		return nil, err
	}
	return loop{at: t.at, table: t.name == "tablerow", spec: statement.Loop, body: body, otherwise: otherwise}, p.end(t)
}

// know makes names known, until what it returns is called.
func (p *parser) know(names ...string) (forget func()) {
	var added []string
	for _, name := range names {
		if !p.locals[name] {
			p.locals[name] = true
			added = append(added, name)
		}
	}
	return func() {
		for _, name := range added {
			delete(p.locals, name)
		}
	}
}

func (p *parser) assign(t token) (node, error) {
	words, err := p.lex(t)
	if err != nil {
		return nil, err
	}
	if len(words) < 3 || words[0].kind != identifier || words[1].text != "=" {
		return nil, p.errorf(t.at, "assign is written as {%% assign name = value %%}")
	}
	if err := p.check(words[2:], false); err != nil {
		return nil, err
	}
	statement, err := p.statement(expressions.AssignStatementSelector, t)
	if err != nil {
		return nil, err
	}
	p.locals[words[0].text] = true
	return assign{name: words[0].text, value: expression{at: t.textAt, eval: statement.Assignment.ValueFn}}, nil
}

func (p *parser) counter(t token) (node, error) {
	words, err := p.lex(t)
	if err != nil {
		return nil, err
	}
	if len(words) != 1 || words[0].kind != identifier {
		return nil, p.errorf(t.at, "%s is written as {%% %s name %%}", t.name, t.name)
	}
	return counter{name: words[0].text, up: t.name == "increment"}, nil
}

func (p *parser) cycle(t token) (node, error) {
	if p.turns == 1 {
		return nil, p.errorf(t.at, "cycle is for the inside of a loop")
	}
	if _, err := p.lex(t); err != nil {
		return nil, err
	}
	statement, err := p.statement(expressions.CycleStatementSelector, t)
	if err != nil {
		return nil, err
	}
	group := statement.Cycle.Group
	if group == "" {
		group = strings.Join(statement.Cycle.Values, "\x00")
	}
	return cycle{group: group, values: statement.Cycle.Values}, nil
}
