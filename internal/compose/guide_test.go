package compose_test

import (
	"os"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/compose"
	"github.com/otpost/otpost/internal/compose/liquid"
)

// TestGuideIsWhole holds docs/guides/templates.md to the program: every variable with what it means, every filter, and
// the template that it shows.
func TestGuideIsWhole(t *testing.T) {
	page, err := os.ReadFile("../../docs/guides/templates.md")
	if err != nil {
		t.Fatal(err)
	}
	guide := string(page)
	for _, v := range compose.Variables() {
		if row := "| `" + v.Name + "` | " + v.Means + " |"; !v.Empty && !strings.Contains(guide, row) {
			t.Errorf("the guide has no row %s", row)
		}
		if v.Empty && !strings.Contains(guide, "`"+v.Name+"`") {
			t.Errorf("the guide does not say that %s is always empty", v.Name)
		}
	}
	for _, name := range liquid.Filters() {
		if !strings.Contains(guide, "`"+name+"`") {
			t.Errorf("the guide does not name the filter %s", name)
		}
	}
	var shown strings.Builder
	for line := range strings.Lines(guide) {
		if source, ok := strings.CutPrefix(line, "    "); ok {
			shown.WriteString(source)
		}
	}
	d := mailDocument()
	d.HTML = shown.String()
	if compiled := compile(t, house(t), d); len(compiled.Warnings) != 0 {
		t.Errorf("the template that the guide shows: %v", compiled.Warnings)
	}
}
