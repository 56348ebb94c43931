package locale_test

import (
	"testing"
	"time"
)

// The words are in the case that mail.expires of the language needs: the accusative after the prepositions of Polish,
// Slovak, Slovene and Serbian, and as the measure of time in Russian and Ukrainian. Each row has every plural category
// of its language, and the numbers at which the rules of 11 to 14 and of 101 differ from those of 1 to 4.
func TestDurationForms(t *testing.T) {
	c := open(t)
	const s, m, h = time.Second, time.Minute, time.Hour
	for _, test := range []struct {
		tag  string
		want map[time.Duration]string
	}{
		{"nl", map[time.Duration]string{1 * h: "1 uur", 2 * h: "2 uur", 10 * m: "10 minuten"}},
		{"pl", map[time.Duration]string{1 * m: "1 minutę", 2 * m: "2 minuty", 5 * m: "5 minut", 12 * m: "12 minut",
			21 * m: "21 minut", 22 * m: "22 minuty", 1 * h: "1 godzinę", 24 * h: "24 godziny", 30 * s: "30 sekund",
			150 * m: "2 godziny i 30 minut"}},
		{"pt-BR", map[time.Duration]string{0: "0 segundo", 1 * h: "1 hora", 150 * m: "2 horas e 30 minutos"}},
		{"pt-PT", map[time.Duration]string{0: "0 segundos", 1 * h: "1 hora", 10 * m: "10 minutos"}},
		{"ro", map[time.Duration]string{1 * m: "1 minut", 10 * m: "10 minute", 19 * m: "19 minute", 20 * m: "20 de minute",
			101 * m: "101 minute", 1 * h: "1 oră", 24 * h: "24 de ore", 30 * s: "30 de secunde"}},
		{"ru", map[time.Duration]string{1 * m: "1 минуту", 2 * m: "2 минуты", 5 * m: "5 минут", 11 * m: "11 минут",
			21 * m: "21 минуту", 1 * h: "1 час", 24 * h: "24 часа", 48 * h: "48 часов", 30 * s: "30 секунд"}},
		{"sk", map[time.Duration]string{1 * m: "1 minútu", 4 * m: "4 minúty", 5 * m: "5 minút", 22 * m: "22 minút",
			1 * h: "1 hodinu", 24 * h: "24 hodín", 30 * s: "30 sekúnd"}},
		{"sl", map[time.Duration]string{1 * m: "1 minuto", 2 * m: "2 minuti", 3 * m: "3 minute", 5 * m: "5 minut",
			22 * m: "22 minut", 101 * m: "101 minuto", 102 * m: "102 minuti", 1 * h: "1 uro", 2 * h: "2 uri", 24 * h: "24 ur"}},
		{"sr-Latn", map[time.Duration]string{1 * m: "1 minut", 2 * m: "2 minuta", 10 * m: "10 minuta", 21 * s: "21 sekundu",
			12 * s: "12 sekundi", 22 * s: "22 sekunde", 1 * h: "1 sat", 24 * h: "24 sata", 48 * h: "48 sati"}},
		{"sv", map[time.Duration]string{1 * h: "1 timme", 24 * h: "24 timmar", 1 * m: "1 minut"}},
		{"th", map[time.Duration]string{10 * m: "10 นาที", 150 * m: "2 ชั่วโมง 30 นาที"}},
		{"tr", map[time.Duration]string{10 * m: "10 dakika", 150 * m: "2 saat 30 dakika"}},
		{"uk", map[time.Duration]string{1 * m: "1 хвилину", 3 * m: "3 хвилини", 10 * m: "10 хвилин", 12 * m: "12 хвилин",
			21 * m: "21 хвилину", 1 * h: "1 годину", 24 * h: "24 години", 30 * s: "30 секунд"}},
		{"zh-Hans", map[time.Duration]string{10 * m: "10 分钟", 24 * h: "24 小时"}},
		{"zh-Hant", map[time.Duration]string{10 * m: "10 分鐘", 24 * h: "24 小時"}},
	} {
		l := c.Match(test.tag)
		if l.Tag() != test.tag {
			t.Errorf("%s has no catalogue", test.tag)
		}
		for d, want := range test.want {
			if got := l.Duration(d); got != want {
				t.Errorf("%s: Duration(%v) = %q, want %q", test.tag, d, got, want)
			}
		}
	}
}
