package main

import (
	"fmt"
	"strings"
)

// commandPaths are the patterns by which a script follows the words of a command, quoted for a shell.
func commandPaths(places []place, format string) []string {
	var paths []string
	for _, p := range places {
		if p.path != "" {
			paths = append(paths, fmt.Sprintf(format, p.path))
		}
	}
	return paths
}

func writeBash(s *strings.Builder, places []place) {
	s.WriteString("# bash completion for otpost, made by: otpost completion bash\n_otpost() {\n")
	s.WriteString("    local current=\"${COMP_WORDS[COMP_CWORD]}\" previous=\"${COMP_WORDS[COMP_CWORD-1]}\" at='' words='' i\n")
	s.WriteString("    for ((i = 1; i < COMP_CWORD; i++)); do\n        case \"${at:+$at }${COMP_WORDS[i]}\" in\n")
	fmt.Fprintf(s, "        %s) at=\"${at:+$at }${COMP_WORDS[i]}\" ;;\n        esac\n    done\n", strings.Join(commandPaths(places, "'%s'"), "|"))
	s.WriteString("    if [[ $previous == '=' ]]; then previous=\"${COMP_WORDS[COMP_CWORD-2]}\"; fi\n")
	s.WriteString("    if [[ $current == '=' ]]; then current=''; previous=\"${COMP_WORDS[COMP_CWORD-1]}\"; fi\n")
	s.WriteString("    case \"$previous\" in\n")
	for _, w := range lists(places) {
		fmt.Fprintf(s, "    %s) COMPREPLY=($(compgen -W '%s' -- \"$current\")); return ;;\n", w.text, strings.Join(w.values, " "))
	}
	s.WriteString("    esac\n    case \"$at\" in\n")
	for _, p := range places {
		var words []string
		for _, w := range append(append([]word{}, p.commands...), p.flags...) {
			words = append(words, w.text)
		}
		fmt.Fprintf(s, "    '%s') words='%s' ;;\n", p.path, strings.Join(words, " "))
	}
	s.WriteString("    esac\n    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n}\ncomplete -o default -F _otpost otpost\n")
}

func writeZsh(s *strings.Builder, places []place) {
	s.WriteString("#compdef otpost\n# zsh completion for otpost, made by: otpost completion zsh\n_otpost() {\n")
	s.WriteString("    local at='' i\n    local -a verbs flags\n")
	s.WriteString("    for ((i = 2; i < CURRENT; i++)); do\n        case \"${at:+$at }${words[i]}\" in\n")
	fmt.Fprintf(s, "        %s) at=\"${at:+$at }${words[i]}\" ;;\n        esac\n    done\n", strings.Join(commandPaths(places, "'%s'"), "|"))
	s.WriteString("    case \"${words[CURRENT-1]}\" in\n")
	for _, w := range lists(places) {
		fmt.Fprintf(s, "    %s) compadd -- %s; return ;;\n", w.text, strings.Join(w.values, " "))
	}
	s.WriteString("    esac\n    case \"$at\" in\n")
	for _, p := range places {
		fmt.Fprintf(s, "    '%s')\n", p.path)
		writeZshWords(s, "verbs", p.commands)
		writeZshWords(s, "flags", p.flags)
		s.WriteString("        ;;\n")
	}
	s.WriteString("    esac\n    if (( $#verbs )); then _describe command verbs; fi\n    _describe -o flag flags\n    if (( ! $#verbs )); then _files; fi\n}\nif [[ $funcstack[1] == _otpost ]]; then _otpost \"$@\"; else compdef _otpost otpost; fi\n")
}

// writeZshWords fills one array; the colon divides a word from its description.
func writeZshWords(s *strings.Builder, array string, words []word) {
	if len(words) == 0 {
		return
	}
	fmt.Fprintf(s, "        %s=(\n", array)
	for _, w := range words {
		fmt.Fprintf(s, "            '%s:%s'\n", w.text, strings.ReplaceAll(summary(w.help), ":", `\:`))
	}
	s.WriteString("        )\n")
}

func writeFish(s *strings.Builder, places []place) {
	s.WriteString("# fish completion for otpost, made by: otpost completion fish\nfunction __otpost_at\n    set -l at ''\n")
	s.WriteString("    for word in (commandline -opc)[2..-1]\n        switch (string trim \"$at $word\")\n")
	fmt.Fprintf(s, "            case %s\n                set at (string trim \"$at $word\")\n", strings.Join(commandPaths(places, "'%s'"), " "))
	s.WriteString("        end\n    end\n    test \"$at\" = \"$argv[1]\"\nend\n")
	for _, p := range places {
		condition := fmt.Sprintf("complete -c otpost -n '__otpost_at \"%s\"'", p.path)
		for _, w := range p.commands {
			fmt.Fprintf(s, "%s -f -a '%s' -d '%s'\n", condition, w.text, fishText(w.help))
		}
		for _, w := range p.flags {
			fmt.Fprintf(s, "%s -l '%s' -d '%s'", condition, strings.TrimPrefix(w.text, "--"), fishText(w.help))
			switch {
			case len(w.values) > 0:
				fmt.Fprintf(s, " -x -a '%s'", strings.Join(w.values, " "))
			case w.takesValue:
				s.WriteString(" -r")
			}
			s.WriteString("\n")
		}
	}
}

// fishText is a summary as fish quotes it: inside single quotes only a quote and a backslash are special.
func fishText(help string) string {
	return strings.ReplaceAll(strings.ReplaceAll(summary(help), `'\''`, `'`), `'`, `\'`)
}
