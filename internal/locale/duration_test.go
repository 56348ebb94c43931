package locale_test

import (
	"testing"
	"time"
)

func TestDuration(t *testing.T) {
	c := open(t)
	const s, m, h = time.Second, time.Minute, time.Hour
	for _, test := range []struct {
		tag  string
		d    time.Duration
		want string
	}{
		{"en", 0, "0 seconds"}, {"en", -m, "0 seconds"}, {"en", 1 * s, "1 second"}, {"en", 30 * s, "30 seconds"},
		{"en", 1 * m, "1 minute"}, {"en", 90 * s, "90 seconds"}, {"en", 119 * s, "119 seconds"}, {"en", 2 * m, "2 minutes"},
		{"en", 150 * s, "2 minutes"}, {"en", 10 * m, "10 minutes"}, {"en", 10*m - 1, "9 minutes"}, {"en", 60 * m, "1 hour"},
		{"en", 90 * m, "90 minutes"}, {"en", 119 * m, "119 minutes"}, {"en", 2 * h, "2 hours"},
		{"en", 150 * m, "2 hours 30 minutes"}, {"en", 121 * m, "2 hours 1 minute"}, {"en", 24 * h, "24 hours"}, {"en", 1000 * h, "1000 hours"},
		{"fr", 1 * h, "1 heure"}, {"fr", 10 * m, "10 minutes"}, {"fr", 1 * s, "1 seconde"}, {"fr", 0, "0 seconde"},
		{"fr", 150 * m, "2 heures et 30 minutes"},
		{"de", 1 * h, "1 Stunde"}, {"de", 10 * m, "10 Minuten"}, {"de", 0, "0 Sekunden"},
		{"es", 1 * h, "1 hora"}, {"es", 30 * s, "30 segundos"}, {"es", 150 * m, "2 horas y 30 minutos"},
		{"ja", 30 * s, "30 秒"}, {"ja", 10 * m, "10 分"}, {"ja", 24 * h, "24 時間"}, {"ja", 150 * m, "2 時間 30 分"},
		{"ar", 1 * m, "دقيقة واحدة"}, {"ar", 2 * m, "دقيقتين"}, {"ar", 3 * m, "3 دقائق"}, {"ar", 10 * m, "10 دقائق"},
		{"ar", 11 * m, "11 دقيقة"}, {"ar", 100 * m, "100 دقيقة"}, {"ar", 103 * m, "103 دقائق"}, {"ar", 1 * h, "ساعة واحدة"},
		{"ar", 2 * h, "ساعتين"}, {"ar", 24 * h, "24 ساعة"}, {"ar", 150 * m, "ساعتين و30 دقيقة"},
	} {
		if got := c.Match(test.tag).Duration(test.d); got != test.want {
			t.Errorf("%s: Duration(%v) = %q, want %q", test.tag, test.d, got, test.want)
		}
	}
}

func BenchmarkAppendDuration(b *testing.B) {
	l := open(b).Match("ar")
	buf := make([]byte, 0, 64)
	for b.Loop() {
		buf = l.AppendDuration(buf[:0], 10*time.Minute)
	}
}
