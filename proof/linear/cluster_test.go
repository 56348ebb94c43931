package linear_test

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/otpost/otpost/proof/rig"
)

// node is one process as its callers know it. It is another one after each start.
type node struct {
	server *rig.Server
	client *rig.Client
	// ahead is how far its clock is ahead.
	ahead time.Duration
}

// cluster is the processes over one database.
type cluster struct {
	t        *testing.T
	settings rig.Settings
	key      string
	kills    int
	// behind and ahead are the clocks that are farthest from the right one.
	behind, ahead time.Duration

	mu    sync.Mutex
	up    *sync.Cond
	nodes []*node // nil while there is none
}

// startCluster starts a process for each clock.
func startCluster(t *testing.T, set rig.Settings, clocks ...time.Duration) *cluster {
	c := &cluster{t: t, settings: set, key: rig.CreateKey(t, set, "Shop"), nodes: make([]*node, len(clocks))}
	c.up = sync.NewCond(&c.mu)
	for i, ahead := range clocks {
		c.start(i, ahead)
	}
	return c
}

func (c *cluster) start(i int, ahead time.Duration) {
	c.behind, c.ahead = min(c.behind, ahead), max(c.ahead, ahead)
	server := rig.Start(c.t, c.settings.With(rig.Settings{"RIG_CLOCK_OFFSET": ahead.String()}))
	n := &node{server: server, client: rig.NewClient(c.t, server, c.key), ahead: ahead}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nodes[i] = n
	c.up.Broadcast()
}

// restart kills a node where it stands and starts it again.
func (c *cluster) restart(i int, ahead time.Duration) {
	c.mu.Lock()
	dead := c.nodes[i]
	c.mu.Unlock()
	dead.server.Kill()
	c.mu.Lock()
	c.nodes[i] = nil
	c.mu.Unlock()
	c.kills++
	c.start(i, ahead)
}

// skew is the greatest difference of two clocks.
func (c *cluster) skew() time.Duration { return c.ahead - c.behind }

// any is one of the nodes that are up, as a load balancer would choose it.
func (c *cluster) any(r *rand.Rand) *node {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		var up []*node
		for _, n := range c.nodes {
			if n != nil {
				up = append(up, n)
			}
		}
		if len(up) > 0 {
			return up[r.IntN(len(up))]
		}
		c.up.Wait()
	}
}

// errNotSent is that nobody listened, so that the request reached nobody.
var errNotSent = errors.New("the request was not sent")

// send makes one request. Any other error than errNotSent leaves open whether the request was carried out.
func (n *node) send(key, method, path, body, idempotencyKey string) (rig.Answer, error) {
	r, err := http.NewRequest(method, "http://"+n.server.Public+path, nil)
	if err != nil {
		return rig.Answer{}, err
	}
	if body != "" {
		// Without GetBody the transport never sends a request a second time by itself.
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Authorization", "Bearer "+key)
	if idempotencyKey != "" {
		r.Header.Set("Idempotency-Key", idempotencyKey)
	}
	got, err := n.client.Do(r)
	var broken *net.OpError
	if errors.As(err, &broken) && broken.Op == "dial" {
		return got, errNotSent
	}
	return got, err
}
