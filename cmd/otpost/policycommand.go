package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/otpost/otpost/internal/trustframework"
)

type policyCommand struct {
	Check  policyCheckCommand  `cmd:"" help:"Say which parts of Azure AD B2C policies run here, and why the others do not."`
	Run    policyRunCommand    `cmd:"" help:"Run one technical profile, or an action of a display control, and show each step."`
	Report policyReportCommand `cmd:"" help:"Say what B2C, otpost and Entra External ID do with each part of policies."`
	Entra  policyEntraCommand  `cmd:"" help:"Print the Microsoft Graph calls that have Entra External ID send its codes through otpost."`
}

// Help is the detail under --help.
func (*policyCommand) Help() string {
	return `Example:

	otpost policy check ./policies
	otpost policy run ./policies emailVerificationControl SendCode --claim email=lea@example.org
	otpost policy report ./policies
	otpost policy entra --url https://otp.example.com > entra.sh`
}

// policyFolder is where policies are read from.
type policyFolder struct {
	Folder  string            `arg:"" name:"dir" help:"Folder with the policy files (*.xml), the base policies too."`
	Setting map[string]string `mapsep:"none" placeholder:"NAME=VALUE" help:"What stands for {Settings:NAME} in the files. Can be given several times."`
	Policy  string            `placeholder:"ID" help:"PolicyId, or FOLDER/ID where several folders have the same."`
}

// load reads the folder.
func (f policyFolder) load() (*trustframework.Set, error) {
	switch info, err := os.Stat(f.Folder); {
	case err != nil:
		return nil, usageErrorf("there is no folder %s: name the one that holds the policy files", f.Folder)
	case !info.IsDir():
		return nil, usageErrorf("%s is a file: name the folder that holds the policy files, since a policy builds on others in it", f.Folder)
	}
	set, err := trustframework.Load(os.DirFS(f.Folder), trustframework.Options{Settings: f.Setting})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Folder, err)
	}
	if len(set.Policies) == 0 && len(set.Problems) == 0 {
		return nil, usageErrorf("there is no policy file (*.xml) in %s", f.Folder)
	}
	return set, nil
}

// plain is a result whose text is made of what policies say: nothing of it may steer a terminal.
type plain struct {
	Result
}

// WriteText writes line by line.
func (p plain) WriteText(w io.Writer) {
	var b strings.Builder
	p.Result.WriteText(&b)
	for line := range strings.Lines(b.String()) { // of any length: a request's body is one line
		fmt.Fprintln(w, strings.TrimRight(inert(strings.TrimRight(line, "\r\n")), " "))
	}
}

// MarshalJSON is that of the result.
func (p plain) MarshalJSON() ([]byte, error) { return json.Marshal(p.Result) }
