package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"The shell: bash, zsh or fish."`
}

// Help is the detail under --help.
func (*completionCommand) Help() string {
	return `Example:

	otpost completion bash > /etc/bash_completion.d/otpost
	otpost completion zsh > "${fpath[1]}/_otpost"
	otpost completion fish > ~/.config/fish/completions/otpost.fish`
}

// Run prints the script, made from the same grammar that reads the command line.
func (c *completionCommand) Run(p *Program, model *kong.Application) error {
	places := placesOf(model.Node, nil)
	var s strings.Builder
	switch c.Shell {
	case "bash":
		writeBash(&s, places)
	case "zsh":
		writeZsh(&s, places)
	case "fish":
		writeFish(&s, places)
	}
	if _, err := io.WriteString(p.Stdout, s.String()); err != nil {
		return fmt.Errorf("write completion: %w", err)
	}
	return nil
}

// place is a point on the command line: after the words of a command, these may follow.
type place struct {
	// path is the command, empty for the program itself.
	path     string
	commands []word
	flags    []word
}

// word is something that can be typed.
type word struct {
	text, help string
	// values are what a flag takes, when that is a fixed list; takesValue is false for a flag that stands alone.
	values     []string
	takesValue bool
}

// placesOf walks the grammar. A command that stands for its default subcommand offers that one's flags too.
func placesOf(node *kong.Node, above []word) []place {
	here := place{path: strings.TrimSpace(strings.TrimPrefix(node.FullPath(), "otpost"))}
	inherited := append(append([]word{}, above...), flagsOf(node)...)
	here.flags = inherited
	if node.DefaultCmd != nil {
		here.flags = append(append([]word{}, inherited...), flagsOf(node.DefaultCmd)...)
	}
	for _, argument := range node.Positional {
		if argument.Enum != "" {
			for _, value := range argument.EnumSlice() {
				here.commands = append(here.commands, word{text: value, help: argument.Help})
			}
		}
	}
	places := []place{here}
	for _, child := range node.Children {
		if child.Hidden {
			continue
		}
		places[0].commands = append(places[0].commands, word{text: child.Name, help: child.Help})
		places = append(places, placesOf(child, inherited)...)
	}
	return places
}

func flagsOf(node *kong.Node) []word {
	var words []word
	for _, flag := range node.Flags {
		if flag.Hidden {
			continue
		}
		w := word{text: "--" + flag.Name, help: flag.Help, takesValue: !flag.IsBool()}
		if flag.Enum != "" {
			w.values = flag.EnumSlice()
		} else if choices := flag.Tag.Get("choices"); choices != "" {
			w.values = strings.Split(choices, ",")
		}
		words = append(words, w)
	}
	return words
}

// lists returns the flags that take one of a fixed list, each once.
func lists(places []place) []word {
	var all []word
	seen := map[string]bool{}
	for _, p := range places {
		for _, w := range p.flags {
			if len(w.values) > 0 && !seen[w.text] {
				seen[w.text] = true
				all = append(all, w)
			}
		}
	}
	return all
}

// summary is the first sentence of a help text, fit for one line between single quotes.
func summary(help string) string {
	if i := strings.Index(help, ". "); i >= 0 {
		help = help[:i]
	}
	help = strings.TrimSuffix(help, ".")
	return strings.ReplaceAll(help, "'", `'\''`)
}
