package entra

import (
	"log/slog"
	"net/http"
)

// log writes the one line of a request. The event leaves out its code and its recipient by itself.
func (h *Handler) log(r *http.Request, v *visit) {
	if h.Log == nil {
		return
	}
	level := slog.LevelInfo
	switch {
	case v.seen.Status == http.StatusInternalServerError:
		level = slog.LevelError
	case v.seen.Status != http.StatusOK:
		level = slog.LevelWarn
	}
	if !h.Log.Enabled(r.Context(), level) {
		return
	}
	attrs := []slog.Attr{slog.Int("status", v.seen.Status), slog.Duration("took", v.seen.Took)}
	if v.event.TenantID != "" {
		attrs = append(attrs, slog.Any("event", v.event))
	}
	if v.delivery != "" {
		attrs = append(attrs, slog.String("delivery", v.delivery), slog.String("verdict", string(v.seen.Verdict)),
			slog.Bool("joined", v.seen.Joined))
	}
	if v.seen.Code != "" {
		attrs = append(attrs, slog.String("problem", v.seen.Code))
	}
	if v.seen.Refused != "" {
		attrs = append(attrs, slog.String("refused", string(v.seen.Refused)))
	}
	if v.err != nil {
		attrs = append(attrs, slog.Any("error", v.err))
	}
	h.Log.LogAttrs(r.Context(), level, "otp-send event answered", attrs...)
}
