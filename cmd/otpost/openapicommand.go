package main

import "fmt"

type openAPICommand struct{}

// Help is the detail under --help.
func (*openAPICommand) Help() string {
	return `Example:

	otpost openapi > openapi.json`
}

// Run prints the document, the same that a server answers at /openapi.json.
func (*openAPICommand) Run(p *Program) error {
	if p.OpenAPI == nil {
		return errMissing
	}
	document, err := p.OpenAPI()
	if err != nil {
		return err
	}
	if _, err := p.Stdout.Write(document); err != nil {
		return fmt.Errorf("write OpenAPI document: %w", err)
	}
	return nil
}
