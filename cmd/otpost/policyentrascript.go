package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/otpost/otpost/internal/extension"
)

// entraCalls are calls of Microsoft Graph.
type entraCalls struct {
	Calls   []extension.GraphCall `json:"calls"`
	command *policyEntraCommand
	// host is that of otpost's public URL.
	host string
}

// WriteText writes a shell script.
func (e entraCalls) WriteText(w io.Writer) {
	login := "az login --allow-no-subscriptions"
	if e.command.Tenant != "" {
		login += " --tenant " + e.command.Tenant
	}
	fmt.Fprintf(w, `#!/bin/sh -eu
# Registers otpost with an external tenant of Microsoft Entra. Needs curl and jq, or az (%s).
# The token in GRAPH_TOKEN, or az's, must have the scopes Application.ReadWrite.All, AppRoleAssignment.ReadWrite.All,
# CustomAuthenticationExtension.ReadWrite.All and EventListener.ReadWrite.All; Graph Explorer shows one.
graph() { # METHOD URL BODY
  if [ -n "${GRAPH_TOKEN:-}" ]; then
    printf 'header = "Authorization: Bearer %%s"\n' "$GRAPH_TOKEN" |
      curl -sS --fail-with-body -K - -X "$1" -H 'Content-Type: application/json' ${3:+-d "$3"} "$2"
  else
    az rest --method "$1" --url "$2" --headers Content-Type=application/json ${3:+--body "$3"}
  fi
}
`, login)
	for i, call := range e.Calls {
		fmt.Fprintf(w, "\n# %d. %s\n", i+1, call.About)
		if len(call.Keep) == 0 {
			fmt.Fprintln(w, command(call))
			continue
		}
		fmt.Fprintf(w, "answer=$(%s)\n", command(call))
		for _, k := range call.Keep {
			fmt.Fprintf(w, "%s=$(printf '%%s' \"$answer\" | jq -er .%s)\n", k.Name, k.Member)
		}
	}
	e.writeSettings(w)
}

// command is one call of the script's function.
func command(call extension.GraphCall) string {
	text := "graph " + call.Method + " " + quoted(call.URL)
	if len(call.Body) > 0 {
		var b bytes.Buffer
		_ = json.Indent(&b, call.Body, "", "  ") // it was just marshalled
		text += " " + quoted(b.String())
	}
	return text
}

// reference is $NAME of what an earlier call answered; the shell shall put it in.
var reference = regexp.MustCompile(`\$(APP_ID|APP_OBJECT|APP_PRINCIPAL|GRAPH_PRINCIPAL|EXTENSION_ID|LISTENER_ID)\b`)

// quoted is text between single quotes, with references outside of them.
func quoted(text string) string {
	text = "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
	text = reference.ReplaceAllStringFunc(text, func(name string) string { return `'"` + name + `"'` })
	return strings.TrimPrefix(strings.TrimSuffix(text, "''"), "''")
}

// writeSettings says what otpost has to be told.
func (e entraCalls) writeSettings(w io.Writer) {
	audience, tenant := "$APP_ID", e.command.Tenant
	if e.command.AppID != "" {
		audience = e.command.AppID
	}
	if tenant == "" {
		tenant = "TENANT_ID"
	}
	budget := e.command.Timeout * 8 / 10
	fmt.Fprintln(w, "\necho 'Start otpost with:'")
	for _, line := range []string{"OTPOST_PUBLIC_URL=https://" + e.host, "OTPOST_ENTRA_TENANT_ID=" + tenant,
		"OTPOST_ENTRA_SUBDOMAIN=SUBDOMAIN", "OTPOST_ENTRA_AUDIENCE=" + audience, "OTPOST_ENTRA_BUDGET=" + budget.String()} {
		fmt.Fprintln(w, "echo "+quoted("  "+line))
	}
	fmt.Fprintln(w, "# SUBDOMAIN is the name in NAME.ciamlogin.com.")
}
