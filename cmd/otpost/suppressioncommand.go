package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"text/tabwriter"
)

type suppressionCommand struct {
	List   suppressionListCommand   `cmd:"" help:"List the recipients that are not sent to."`
	Remove suppressionRemoveCommand `cmd:"" help:"Let a recipient be sent to again."`
}

// Help is the detail under --help.
func (*suppressionCommand) Help() string {
	return `Example:

	otpost suppression list --recipient lea@example.org
	otpost suppression remove lea@example.org`
}

type suppressionListCommand struct {
	Recipient string `placeholder:"ADDRESS" help:"Only this address or number."`
	Channel   string `enum:",email,sms" default:"" placeholder:"email|sms" help:"Only these."`
	Limit     int    `placeholder:"N" help:"Stop after so many; all when missing."`

	clientFlags
}

// Help is the detail under --help.
func (*suppressionListCommand) Help() string {
	return `A recipient is not sent to after a provider reported that it does not exist (invalid_recipient) or is blocked (suppressed), for as long as suppress_bounced says, and after it called a message spam (complained), until somebody removes that. Requests for it are refused as recipient_suppressed.

It wants an admin key (otpost key create --admin). Addresses are shown in full.

Example:

	otpost suppression list
	otpost suppression list --recipient lea@example.org --output json`
}

// suppressionLine is one recipient as the API answers it. An empty Until is no end.
type suppressionLine struct {
	Channel    string `json:"channel"`
	Recipient  string `json:"recipient"`
	Reason     string `json:"reason"`
	Provider   string `json:"provider"`
	ReportedAt string `json:"reported_at"`
	Until      string `json:"until,omitempty"`
}

type suppressionLines struct {
	Suppressions []suppressionLine `json:"suppressions"`
}

// WriteText writes a table.
func (l suppressionLines) WriteText(w io.Writer) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "RECIPIENT\tREASON\tPROVIDER\tREPORTED\tUNTIL")
	for _, s := range l.Suppressions {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", inert(s.Recipient), inert(s.Reason), inert(s.Provider), inert(s.ReportedAt),
			inert(cmp.Or(s.Until, "it is removed")))
	}
	_ = table.Flush() // it writes to a buffer
}

// biggestPage is how many the server gives at a time.
const biggestPage = 1000

// Run lists the recipients, page after page.
func (c *suppressionListCommand) Run(ctx context.Context, p *Program) error {
	if c.Limit < 0 {
		return usageErrorf("--limit: want a number of at least 1")
	}
	server, err := c.client(p)
	if err != nil {
		return err
	}
	all := suppressionLines{Suppressions: []suppressionLine{}}
	after := ""
	for more := true; more; more = after != "" && (c.Limit == 0 || len(all.Suppressions) < c.Limit) {
		page, next, err := c.page(ctx, server, after, len(all.Suppressions))
		if err != nil {
			return err
		}
		all.Suppressions = append(all.Suppressions, page...)
		after = next
	}
	return p.print(all)
}

// page reads one page; so many are known already.
func (c *suppressionListCommand) page(ctx context.Context, server *client, after string, known int) ([]suppressionLine, string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	limit := biggestPage
	if c.Limit > 0 {
		limit = min(limit, c.Limit-known)
	}
	query := url.Values{"limit": {strconv.Itoa(limit)}}
	for name, value := range map[string]string{"recipient": c.Recipient, "channel": c.Channel, "after": after} {
		if value != "" {
			query.Set(name, value)
		}
	}
	answer, err := server.get(ctx, "/v1/suppressions?"+query.Encode())
	if err != nil {
		return nil, "", err
	}
	var page struct {
		suppressionLines
		Next string
	}
	err = decode(answer, &page)
	return page.Suppressions, page.Next, err
}

type suppressionRemoveCommand struct {
	Address string `arg:"" help:"Email address or number, in any way of writing it."`

	clientFlags
}

// Help is the detail under --help.
func (*suppressionRemoveCommand) Help() string {
	return `Do so when a mailbox exists again or the person asks for messages: one who complained is not sent to otherwise. Reports that were received before do not suppress it anew; a new one does. A provider may keep a list of its own, from which the recipient has to be removed there.

It wants an admin key (otpost key create --admin). The exit code is 3 when the recipient was not suppressed.

Example:

	otpost suppression remove lea@example.org`
}

// removedSuppression is that of a recipient.
type removedSuppression struct {
	Recipient string `json:"removed"`
}

// WriteText says what is different now.
func (r removedSuppression) WriteText(w io.Writer) {
	fmt.Fprintf(w, "%s is sent to again\n", inert(r.Recipient))
}

// Run removes a suppression.
func (c *suppressionRemoveCommand) Run(ctx context.Context, p *Program) error {
	server, err := c.client(p)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := server.remove(ctx, "/v1/suppressions?recipient="+url.QueryEscape(c.Address)); err != nil {
		return err
	}
	return p.print(removedSuppression{c.Address})
}
