package transform

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/otpost/otpost/internal/trustframework/claim"
)

// longest is the most that a formatted text may come to, in characters of .NET (string-transformations.md,
// FormatStringClaim: "String format maximum allowed size is 4000").
const longest = 4000

// piece is a part of a format: text as it is, an expression such as {RelyingPartyTenantId}, or an argument.
type piece struct {
	text, expression string
	argument         int
	// width is what an argument is padded to, on its right if it is negative.
	width int
	spec  string
	kind  pieceKind
}

type pieceKind int

const (
	plain pieceKind = iota
	expression
	argument
)

// readFormat reads a format of .NET's String.Format ("Composite formatting"): {index[,width][:spec]}, with {{ and }} for
// braces. What begins with a letter is an expression of string-transformations.md, "String claim transformations
// expressions". Arguments is how many there are.
func readFormat(text string, arguments int) ([]piece, error) {
	var pieces []piece
	var run strings.Builder
	for i := 0; i < len(text); i++ {
		c := text[i]
		doubled := i+1 < len(text) && text[i+1] == c
		switch {
		case c != '{' && c != '}':
			run.WriteByte(c)
		case doubled:
			run.WriteByte(c)
			i++
		case c == '}':
			return nil, errors.New("has a } without a { before it; write }} for a brace")
		default:
			length := strings.IndexAny(text[i+1:], "{}")
			if length < 0 || text[i+1+length] == '{' {
				return nil, errors.New("has a { without a } after it; write {{ for a brace")
			}
			item, err := readItem(text[i+1:i+1+length], arguments)
			if err != nil {
				return nil, err
			}
			pieces = append(pieces, piece{text: run.String()}, item)
			run.Reset()
			i += length + 1
		}
	}
	return append(pieces, piece{text: run.String()}), nil
}

// readItem reads what stands between braces.
func readItem(item string, arguments int) (piece, error) {
	if item == "" || item[0] < '0' || item[0] > '9' {
		if strings.Trim(item, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_-") != "" || item == "" {
			return piece{}, fmt.Errorf("has {%s}, which is neither the number of a claim nor an expression", item)
		}
		return piece{kind: expression, expression: "{" + item + "}"}, nil
	}
	head, spec, _ := strings.Cut(item, ":")
	number, width, aligned := strings.Cut(head, ",")
	p := piece{kind: argument, spec: spec}
	var err, err2 error
	p.argument, err = strconv.Atoi(strings.TrimRight(number, " "))
	if aligned {
		p.width, err2 = strconv.Atoi(strings.TrimSpace(width))
	}
	switch {
	case err != nil || err2 != nil || p.width > longest || p.width < -longest:
		return piece{}, fmt.Errorf("has {%s}, which String.Format does not read; write such as {0}", item)
	case p.argument >= arguments:
		return piece{}, fmt.Errorf("has {%d}, and there is no such claim: there are %d, which count from {0}", p.argument, arguments)
	}
	return p, nil
}

// formatOf checks a format for a number of arguments.
func formatOf(arguments int) func(string) error {
	return func(text string) error {
		_, err := readFormat(text, arguments)
		return err
	}
}

// format puts arguments and expressions into a format. What an expression stands for is put in as it is: braces of it
// are no format.
func (r *run) format(text string, arguments ...claim.Value) (string, error) {
	pieces, err := readFormat(text, len(arguments))
	if err != nil {
		return "", r.misuse("the format %v", err)
	}
	var made strings.Builder
	for _, p := range pieces {
		switch p.kind {
		case plain:
			made.WriteString(p.text)
		case expression:
			resolved := r.resolve(p.expression)
			if resolved == p.expression {
				return "", r.misuse("the format has the expression %s, which stands for nothing here", p.expression)
			}
			made.WriteString(resolved)
		case argument:
			text, err := spell(arguments[p.argument], p.spec)
			if err != nil {
				return "", r.misuse("the format %v", err)
			}
			made.WriteString(pad(text, p.width))
		}
	}
	if units(made.String()) > longest {
		return "", r.misuse("what the format comes to is longer than %d characters", longest)
	}
	return made.String(), nil
}

// spell writes an argument. A text has no formats in .NET and takes any; of a number's there are D and the zeros of a
// custom one, which are what codes of a fixed length are made with.
func spell(v claim.Value, spec string) (string, error) {
	text := v.String()
	if spec == "" || v.Type() != claim.Int && v.Type() != claim.Long {
		return text, nil
	}
	digits, err := len(spec), error(nil)
	if spec[0] == 'D' || spec[0] == 'd' {
		if digits = 0; len(spec) > 1 {
			digits, err = strconv.Atoi(spec[1:])
		}
	} else if strings.Trim(spec, "0") != "" {
		err = errors.New("unknown")
	}
	if err != nil || digits < 0 || digits > longest {
		return "", fmt.Errorf("has :%s for a number, and only :D with a number of digits and :000 can be run", spec)
	}
	sign := ""
	if strings.HasPrefix(text, "-") {
		sign, text = "-", text[1:]
	}
	return sign + strings.Repeat("0", max(0, digits-len(text))) + text, nil
}

func pad(text string, width int) string {
	missing := max(width, -width) - units(text)
	switch {
	case missing <= 0:
		return text
	case width < 0:
		return text + strings.Repeat(" ", missing)
	}
	return strings.Repeat(" ", missing) + text
}

// units is how long a text is in .NET.
func units(text string) int { return len(utf16.Encode([]rune(text))) }
