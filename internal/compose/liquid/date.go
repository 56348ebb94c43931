package liquid

import (
	"cmp"
	"errors"
	"strconv"
	"strings"
	"time"
)

// directives are those of strftime (POSIX.1-2024, strftime) that have a layout in Go. Names of days and months are
// English.
var directives = map[byte]string{'Y': "2006", 'y': "06", 'm': "01", 'd': "02", 'H': "15", 'I': "03", 'M': "04",
	'S': "05", 'p': "PM", 'B': "January", 'b': "Jan", 'A': "Monday", 'a': "Mon", 'e': "_2", 'Z': "MST", 'z': "-0700",
	'F': "2006-01-02", 'T': "15:04:05", 'D': "01/02/06", 'R': "15:04", 'j': "002"}

var errDirective = errors.New("the filter date does not know this directive; these are known: " +
	"%Y %y %m %d %e %H %I %M %S %p %B %b %A %a %j %F %T %D %R %Z %z %%")

// layouts are the forms of a date that the filter date reads, beside the words now and today.
var layouts = []string{time.RFC3339, "2006-01-02 15:04:05", "2006-01-02"}

// date writes a time in UTC. What is no time is left as it is, as Liquid does.
func (r *rendering) date(v any, format func(string) string) (any, error) {
	var t time.Time
	switch v := v.(type) {
	case int:
		t = time.Unix(int64(v), 0)
	case string:
		if t = r.time(v); t.IsZero() {
			return v, nil
		}
	default:
		return v, nil
	}
	return r.strftime(t.UTC(), r.read(format("%Y-%m-%d")))
}

func (r *rendering) time(s string) time.Time {
	if s == "now" || s == "today" {
		return r.scope.Now
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return time.Unix(n, 0)
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t
		}
	}
	return time.Time{}
}

func (r *rendering) strftime(t time.Time, format string) (string, error) {
	var b strings.Builder
	for format != "" {
		words, rest, found := strings.Cut(format, "%")
		b.WriteString(words)
		if !found {
			break
		}
		bare := strings.HasPrefix(rest, "-")
		rest = strings.TrimPrefix(rest, "-")
		if rest == "" {
			r.stop(errDirective)
		}
		layout, known := directives[rest[0]]
		switch {
		case rest[0] == '%':
			b.WriteByte('%')
		case !known:
			r.stop(errDirective)
		case bare: // %-d is a day without its zero
			short := strings.TrimLeft(t.Format(layout), " 0")
			b.WriteString(cmp.Or(short, "0"))
		default:
			b.WriteString(t.Format(layout))
		}
		format = rest[1:]
	}
	return r.bounded(b.String()), nil
}
