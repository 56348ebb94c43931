package config

// Role is which part a process plays.
type Role string

// The roles.
const (
	All    Role = "all"
	Web    Role = "web"
	Worker Role = "worker"
)

// LogFormat is how a log line is written.
type LogFormat string

// The log formats.
const (
	LogText LogFormat = "text"
	LogJSON LogFormat = "json"
)

// InboxMode is whether the built-in inbox takes messages.
type InboxMode string

// The modes of the inbox. Force is On in production too.
const (
	InboxOff   InboxMode = "off"
	InboxOn    InboxMode = "on"
	InboxForce InboxMode = "force"
)

// UnknownMode is what Entra is told when nobody knows yet whether the message was sent.
type UnknownMode string

// The answers to an unknown outcome.
const (
	UnknownAccept UnknownMode = "accept"
	UnknownRefuse UnknownMode = "refuse"
)

// B2CStateMode is what a code of a B2C policy belongs to.
type B2CStateMode string

// The two ways to find a code.
const (
	B2CSession    B2CStateMode = "session"
	B2CIdentifier B2CStateMode = "identifier"
)
