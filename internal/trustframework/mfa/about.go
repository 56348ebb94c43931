package mfa

import (
	"slices"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

// About implements execute.Handler.
func (h *Handler) About(t *trustframework.TechnicalProfile) execute.About {
	op, _ := operationOf(t)
	if op == nil {
		return execute.About{Kind: "multifactor authentication, unknown Operation",
			B2C: "B2C has no such Operation.", Otpost: "The profile is refused, with the Operations that there are.", Entra: "There is nothing to compare it with."}
	}
	a := op.about
	a.Kind = "multifactor authentication, " + op.name
	a.Differs = slices.Clone(a.Differs)
	return a
}

// What Entra External ID has (concept-multifactor-authentication-customers.md of 11/20/2024; that there is no event for text
// messages is what Microsoft answers to those who ask for one).
const (
	entraSMS = "External ID sends text messages itself, as a second factor and a paid add-on; no event lets another service send them."
	entraApp = "External ID has email codes and text messages as second factors, and no authenticator app, in external tenants."
)

var (
	aboutSend = execute.About{
		B2C:    "Entra's multifactor authentication makes a code and sends it to a phone number in a text message.",
		Otpost: "The passcode engine makes the code, and the route for text messages sends it, under the limits of both.",
		Entra:  entraSMS,
		Differs: []string{
			"A code has six digits and lives 180 seconds, with five tries and then five minutes without a new one; B2C publishes none of these numbers.",
			"The next message to a number may be asked for after 30 seconds, whatever the journey; B2C's limits are not published.",
			"A countryList is held to the country that gave out the number; how B2C tells countries with one calling code apart is not published.",
			"A text message that no provider took is told at once, as far as the caller waits for it.",
		}}
	aboutVerify = execute.About{
		B2C:    "Entra's multifactor authentication compares a code with the one that was sent to the phone number.",
		Otpost: "The passcode engine compares it with the newest code for this number in this journey, counts the try, and takes a right code once.",
		Entra:  entraSMS,
		Differs: []string{
			"A code whose time is over, or that was used, is told as a wrong one; what B2C says then is not published.",
			"Wrong codes for one number count over all journeys.",
		}}
	aboutDevices = execute.About{
		B2C:    "Says how many authenticator apps the user has enrolled.",
		Otpost: "Counts the user's confirmed authenticators, as text. User names are the same in either case.",
		Entra:  entraApp,
		Differs: []string{
			"Authenticators that were enrolled in Entra are not known here; their secrets cannot be read from it.",
		}}
	aboutBegin = execute.About{
		B2C:    "Begins a verification by an authenticator app, with a secret that is to be enrolled, or with those that are.",
		Otpost: "Enrols the secret until its first code comes, or chooses the user's confirmed authenticators if there is no secret, or one that is confirmed.",
		Entra:  entraApp,
		Differs: []string{
			"Secrets of any length in base32 are taken, in either case; B2C takes 8, 16, 24 or 32 characters (azure-ad-b2c/samples#556).",
			"An enrolment that is begun again takes the place of the session's earlier one.",
		}}
	aboutVerifyOTP = execute.About{
		B2C:    "Compares the code of an authenticator app, and enrols the secret that the verification was begun with.",
		Otpost: "Compares the code and marks its time step as used, in one transaction; the first right code confirms an enrolment.",
		Entra:  entraApp,
		Differs: []string{
			"A code may be one time step off, unless a wider window is set; B2C takes codes of three to five minutes ago (azure-ad-b2c/samples#392).",
			"A code is taken once; that B2C does so is not published.",
			"After a secret was given, only its own code is right, and not that of another authenticator of the user.",
		}}
)
