// Package storetest is the exam that every store must pass: what "one transaction" and "durable" mean in each verb,
// also when many come at once and when the clock stands on an edge.
package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/access"
	"github.com/otpost/otpost/internal/authenticator"
	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/registry"
)

// Store is what is examined.
type Store interface {
	passcode.Store
	authenticator.Store
	outbox.Store
	access.Store
	registry.Store
	Spend(ctx context.Context, now time.Time, spends ...passcode.Spend) error
	Sweep(ctx context.Context, now time.Time, retention time.Duration) (int, error)
	Own(ctx context.Context, now time.Time) error
	Suppressions(ctx context.Context, tenant string, channel outbox.Channel, after string, limit int, now time.Time) ([]outbox.Suppression, error)
	Suppression(ctx context.Context, tenant string, channel outbox.Channel, recipient string, now time.Time) (outbox.Suppression, bool, error)
	Unsuppress(ctx context.Context, tenant string, channel outbox.Channel, recipient string) (bool, error)
}

// SuppressBounced is for how long the stores that are examined suppress a recipient after a hard bounce.
const SuppressBounced = 30 * 24 * time.Hour

// Run examines stores; open gives each question an empty one.
func Run(t *testing.T, open func(t *testing.T) Store) {
	for name, question := range map[string]func(*testing.T, Store){
		"issue writes both rows":               issueWritesBothRows,
		"issue replaces the newest":            issueReplacesTheNewest,
		"issue keeps tenants apart":            issueKeepsTenantsApart,
		"issue is atomic when refused":         issueIsAtomicWhenRefused,
		"issues together leave one pending":    issuesTogetherLeaveOnePending,
		"an idempotency key works once":        idempotencyKeyWorksOnce,
		"an update that fails changes nothing": failedUpdateChangesNothing,
		"updates of one row take turns":        updatesTakeTurns,
		"one generation is the first":          oneGenerationIsTheFirst,
		"generations together take turns":      generationsTakeTurns,
		"a refused generation changes nothing": refusedGenerationChangesNothing,
		"a generation gives its place away":    generationGivesItsPlace,
		"generations keep the limit together":  generationsKeepTheLimit,
		"generations are kept apart":           generationsAreKeptApart,
		"sweep spares what lives on":           sweepSparesWhatLivesOn,
		"limits hold together":                 limitsHoldTogether,
		"limits are taken all or none":         limitsAllOrNone,
		"a split limit is one limit":           splitLimitIsOne,
		"a window ends at its edge":            windowEndsAtItsEdge,
		"asking a limit takes nothing":         askingTakesNothing,
		"a wrong code takes, a right one not":  guessTakesForWrongCodes,
		"guesses together stay in the limit":   guessesTogetherStayWithinTheLimit,
		"a claim is exclusive":                 claimIsExclusive,
		"a lapsed lease is claimed":            lapsedLeaseIsClaimed,
		"an awaited row is left alone":         awaitedRowIsLeftAlone,
		"a claim ends what must not be sent":   claimEndsWhatMustNotBeSent,
		"a lost lease cannot move a row":       lostLeaseCannotMoveARow,
		"an accepted attempt is a fact":        acceptedIsAFact,
		"acceptances go together":              acceptancesGoTogether,
		"states only move forward":             statesMoveForward,
		"the body goes with the last chance":   bodyGoesWithTheLastChance,
		"acceptance wipes the body":            acceptanceWipesTheBody,
		"returned rows are due":                returnedRowsAreDue,
		"a repeated relay joins":               repeatedRelayJoins,
		"relays together make one delivery":    relaysTogetherMakeOne,
		"a relay takes up an abandoned row":    relayTakesUpAbandoned,
		"settle decides once":                  settleDecidesOnce,
		"receipts move a delivery":             receiptsMoveADelivery,
		"receipts in any order are the same":   receiptsInAnyOrder,
		"a receipt may come too early":         receiptMayComeTooEarly,
		"a receipt proves a lost answer":       receiptProvesALostAnswer,
		"a receipt is believed on its route":   receiptIsBelievedOnItsRoute,
		"receipts together count once":         receiptsTogetherCountOnce,
		"a suppressed recipient is refused":    suppressedIsRefused,
		"a suppression can end":                suppressionCanEnd,
		"sweep forgets receipts":               sweepForgetsReceipts,
		"notes are kept with their change":     notesAreKept,
		"sweep ends and forgets":               sweepEndsAndForgets,
		"keys open until revoked":              keysOpenUntilRevoked,
		"admin keys need no application":       adminKeysNeedNoApplication,
		"documents are kept as they are":       documentsAreKept,
		"one change of a revision wins":        oneChangeOfARevisionWins,
		"a refused change leaves all":          refusedChangeLeavesAll,
		"history is kept, but not for ever":    historyIsKept,
		"documents of tenants are apart":       documentsOfTenantsAreApart,
		"a device is kept as it is":            deviceIsKept,
		"devices of others are not seen":       devicesOfOthersAreNotSeen,
		"a change that fails changes nothing":  failedChangeChangesNothing,
		"a revoked device is gone":             revokedDeviceIsGone,
		"a user has so many devices":           devicesAreLimited,
		"enrolments together stay in bounds":   enrolmentsTogetherStayInBounds,
		"an overdue device makes room":         overdueDeviceMakesRoom,
		"a step is used once":                  stepIsUsedOnce,
		"guesses at devices stay in the limit": deviceGuessesStayInTheLimit,
		"a right code spends no guess":         rightDeviceCodeSpendsNothing,
		"sweep forgets devices":                sweepForgetsDevices,
	} {
		t.Run(name, func(t *testing.T) { question(t, open(t)) })
	}
}

// now is where the exam's clock stands. Stores keep milliseconds.
var now = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

func policy() passcode.Policy { return passcode.DefaultPolicy() }

// issuance is a plausible one for a recipient.
func issuance(to string, at time.Time) passcode.Issuance {
	c := passcode.Challenge{ID: outbox.NewID("pc", at), Tenant: "default", Application: "app_1", Channel: outbox.Email,
		To: to, Identifier: to, Mailbox: to, Purpose: passcode.SignIn, State: passcode.Pending, CodeHash: []byte("hash"),
		CodeSealed: []byte("sealed"), Policy: policy(), Sends: 1, Locale: "fr", Metadata: map[string]string{"order": "7"},
		CreatedAt: at, SentAt: at, ExpiresAt: at.Add(10 * time.Minute)}
	return passcode.Issuance{Challenge: c, Delivery: delivery(c.ID, to, at), Now: at}
}

func delivery(challenge, to string, at time.Time) outbox.Delivery {
	return outbox.Delivery{ID: outbox.NewID("dl", at), Tenant: "default", Application: "app_1", Challenge: challenge,
		Channel: outbox.Email, To: to, Route: []string{"first", "second"}, State: outbox.Queued, CreatedAt: at, DueAt: at,
		Deadline: at.Add(10 * time.Minute), Message: &outbox.Message{Channel: outbox.Email, To: to, Text: "482913 is your code",
			Code: "482913", Language: "fr", Passcode: challenge}}
}

func ref(i passcode.Issuance) passcode.Ref {
	return passcode.Ref{Tenant: i.Challenge.Tenant, ID: i.Challenge.ID}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func timeline(t *testing.T, s Store, r passcode.Ref) passcode.Timeline {
	t.Helper()
	line, err := s.Timeline(t.Context(), r)
	must(t, err)
	return line
}

func issue(t *testing.T, s Store, to string, at time.Time) passcode.Issuance {
	t.Helper()
	i := issuance(to, at)
	must(t, s.Issue(t.Context(), i))
	return i
}

// together runs f n times at once and returns how many came back without error.
func together(n int, f func(i int) error) (ok int) {
	start := make(chan struct{})
	results := make(chan error)
	for i := range n {
		go func() { <-start; results <- f(i) }()
	}
	close(start)
	for range n {
		if <-results == nil {
			ok++
		}
	}
	return ok
}
