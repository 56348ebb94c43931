package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/config"
)

type healthcheckCommand struct {
	URL      string        `placeholder:"URL" help:"Base URL of the server. Without it the server of these settings, on this machine."`
	Timeout  time.Duration `default:"3s" placeholder:"DURATION" help:"How long the answer may take (default 3s)."`
	Settings settingsFlags `embed:""`
}

// Help is the detail under --help.
func (*healthcheckCommand) Help() string {
	return `Asks /readyz, as the health check of a container does. Exit code 0 means ready, 1 not.

Example:

	otpost healthcheck --url http://localhost:9090`
}

// health is the answer of a server.
type health struct {
	URL    string `json:"url"`
	Ready  bool   `json:"ready"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
}

// WriteText writes one line.
func (h health) WriteText(w io.Writer) {
	word := "ready"
	if !h.Ready {
		word = "not ready"
	}
	fmt.Fprintf(w, "%s: %s\n", h.URL, word)
}

// maxHealth bounds what is read of an answer.
const maxHealth = 4 << 10

// Run asks the server.
func (c *healthcheckCommand) Run(ctx context.Context, p *Program) error {
	base := c.URL
	if base == "" {
		settings, err := c.Settings.load(p)
		if err != nil {
			return err
		}
		base = localURL(settings)
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	answer, err := ask(ctx, strings.TrimRight(base, "/")+"/readyz")
	if err != nil {
		return err
	}
	if err := p.print(answer); err != nil {
		return err
	}
	if !answer.Ready {
		return fmt.Errorf("server is not ready: %d %s", answer.Status, cmp.Or(answer.Detail, http.StatusText(answer.Status)))
	}
	return nil
}

func ask(ctx context.Context, url string) (health, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return health{}, usageErrorf("--url: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return health{}, fmt.Errorf("ask server: %w", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxHealth))
	if err != nil {
		return health{}, fmt.Errorf("read answer of server: %w", err)
	}
	return health{URL: url, Ready: response.StatusCode == http.StatusOK, Status: response.StatusCode,
		Detail: inert(strings.TrimSpace(string(body)))}, nil
}

// localURL is where the operations listener of these settings is reached from this machine.
func localURL(settings *config.Config) string {
	host, port, err := net.SplitHostPort(settings.OpsListen)
	if err != nil {
		return "http://" + settings.OpsListen // the settings were checked; the request will say what is wrong
	}
	if ip := net.ParseIP(host); host == "" || (ip != nil && ip.IsUnspecified()) {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}
