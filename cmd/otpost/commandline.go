package main

// description opens the help of the program.
const description = `One-time passcodes, posted: otpost issues a passcode, delivers it and verifies it.

Try it with "otpost demo", which needs nothing else. Every command shows an example under --help.

Exit codes: 0 done; 1 failed; 2 the command line or a setting is wrong; 3 the server refused, or the code was wrong.`

// commandLine is the grammar: every command with its flags.
type commandLine struct {
	Output string `enum:"text,json" default:"text" placeholder:"text|json" help:"How results and errors are written: text for people, or one line of JSON."`

	Demo  demoCommand  `cmd:"" group:"Run" help:"Run everything on this machine, to try it."`
	Serve serveCommand `cmd:"" group:"Run" help:"Run the server."`

	Apply    applyCommand    `cmd:"" group:"Settings" help:"Make settings what a file says."`
	Export   exportCommand   `cmd:"" group:"Settings" help:"Print all settings as a file."`
	Provider providerCommand `cmd:"" group:"Settings" help:"List providers, and the kinds there are."`
	Template templateCommand `cmd:"" group:"Settings" help:"Show what a template says."`

	Policy policyCommand `cmd:"" group:"B2C policies" help:"Check, try and report Azure AD B2C policies."`

	Migrate     migrateCommand     `cmd:"" group:"Operate" help:"Bring the database's schema up to date."`
	Key         keyCommand         `cmd:"" group:"Operate" help:"Create, list and revoke API keys."`
	Keyring     keyringCommand     `cmd:"" group:"Operate" help:"List and rotate the keys that the database is written with."`
	Config      configCommand      `cmd:"" group:"Operate" help:"Show the effective settings, or a documented file."`
	Doctor      doctorCommand      `cmd:"" group:"Operate" help:"Look for the mistakes that keep messages from arriving."`
	Healthcheck healthcheckCommand `cmd:"" group:"Operate" help:"Ask a running server whether it is ready."`

	Send     sendCommand     `cmd:"" group:"Use a running server" help:"Send a passcode."`
	Verify   verifyCommand   `cmd:"" group:"Use a running server" help:"Verify a passcode."`
	Timeline timelineCommand `cmd:"" group:"Use a running server" help:"Show what became of a passcode and its messages."`
	Emulate  emulateCommand  `cmd:"" group:"Use a running server" help:"Play an identity platform against a receiver."`

	Suppression suppressionCommand `cmd:"" group:"Use a running server" help:"List recipients that are not sent to, and let them be sent to again."`

	OpenAPI    openAPICommand    `cmd:"" name:"openapi" group:"About" help:"Print the OpenAPI document of the REST API."`
	Completion completionCommand `cmd:"" group:"About" help:"Print a shell's completion script."`
	Version    versionCommand    `cmd:"" group:"About" help:"Print the version."`
}

// prepare adds the flags that are generated from the settings. The groups named are shown in a command's help; the
// flags of the others work there as well.
func (c *commandLine) prepare() {
	c.Serve.Settings.prepare()
	c.Config.Show.Settings.prepare()
	c.Apply.Settings.prepare("Storage")
	c.Export.Settings.prepare("Storage")
	c.Provider.List.Settings.prepare("Storage")
	c.Template.Preview.Settings.prepare("Storage")
	c.Policy.Run.Settings.prepare("Storage", "Mail")
	c.Migrate.Settings.prepare("Storage")
	c.Key.Create.Settings.prepare("Storage")
	c.Key.List.Settings.prepare("Storage")
	c.Key.Revoke.Settings.prepare("Storage")
	c.Keyring.List.Settings.prepare("Storage")
	c.Keyring.Stage.Settings.prepare("Storage")
	c.Keyring.Rotate.Settings.prepare("Storage")
	c.Doctor.Settings.prepare("Storage", "Mail")
	c.Healthcheck.Settings.prepare("Server")
}
