"""The generated tasks: facts, questions and answers from word lists and templates.

Every draw comes from the random.Random that is passed in. Changing the order of the draws changes every later
sample of the same seed; test_recipe.py notices.
"""
from words import CITIES, CODAS, COLOURS, FOODS, JOBS, NAMES, OBJECTS, ONSETS, PETS, PLACES, VOWELS, WORDS


def made_up(rng, n=2):
    """An invented word of n syllables."""
    return "".join(rng.choice(ONSETS) + rng.choice(VOWELS) + (rng.choice(CODAS) if i == n - 1 else "") for i in range(n))


def person(rng):
    """A name: 60 % from the list, else invented, so that names cannot be learnt by heart."""
    return rng.choice(NAMES) if rng.random() < 0.6 else made_up(rng, rng.choice((2, 2, 3))).capitalize()


def people(rng, n):
    """n different names."""
    out = []
    while len(out) < n:
        p = person(rng)
        if p not in out:
            out.append(p)
    return out


def digits(rng, n):
    """A number of n digits without a leading zero, as text."""
    return str(rng.randint(1, 9)) + "".join(str(rng.randint(0, 9)) for _ in range(n - 1))


def pick_word(rng):
    """A word: 70 % from the list, else invented."""
    return rng.choice(WORDS) if rng.random() < 0.7 else made_up(rng)


# relation -> (value generator, statement = answer sentence, question)
RELATIONS = {
    "passkey": (lambda rng: digits(rng, 5), "The passkey of {k} is {v}.", "What is the passkey of {k}?"),
    "phone": (lambda rng: digits(rng, 6), "The telephone number of {k} is {v}.", "What is the telephone number of {k}?"),
    "year": (lambda rng: str(rng.randint(1600, 2020)), "{k} was born in the year {v}.", "In which year was {k} born?"),
    "room": (lambda rng: digits(rng, 3), "The room number of {k} is {v}.", "What is the room number of {k}?"),
    "city": (lambda rng: rng.choice(CITIES), "{k} lives in {v}.", "Where does {k} live?"),
    "job": (lambda rng: rng.choice(JOBS), "{k} works as a {v}.", "What is the job of {k}?"),
    "pet": (lambda rng: rng.choice(COLOURS) + " " + rng.choice(PETS), "{k} keeps a {v}.", "What animal does {k} keep?"),
    "colour": (lambda rng: rng.choice(COLOURS), "The favourite colour of {k} is {v}.", "What is the favourite colour of {k}?"),
    "food": (lambda rng: rng.choice(FOODS), "{k} likes to eat {v}.", "What does {k} like to eat?"),
    "codeword": (lambda rng: pick_word(rng) + " " + pick_word(rng), "The code word of {k} is {v}.", "What is the code word of {k}?"),
}
DONT_KNOW = "I don't know."


def obj_name(rng):
    """A coloured object."""
    return rng.choice(COLOURS) + " " + rng.choice(OBJECTS)


def make_fact(rng):
    """-> (kind, key), statement, question, answer, value; a text holds each (kind, key) once."""
    x = rng.random()
    if x < 0.74:
        rel = rng.choice(list(RELATIONS)) if x < 0.5 else "passkey"
        gen, say, ask = RELATIONS[rel]
        k, v = person(rng), gen(rng)
        return (rel, k), say.format(k=k, v=v), ask.format(k=k), say.format(k=k, v=v), v
    if x < 0.86:
        o, p = obj_name(rng), rng.choice(PLACES)
        s = "The %s is in the %s." % (o, p)
        return ("obj", o), s, "Where is the %s?" % o, s, p
    a, b = rng.sample(CITIES, 2)
    n = str(rng.randint(2, 990))
    s = "The distance from %s to %s is %s miles." % (a, b, n)
    return ("dist", a + b), s, "How far is it from %s to %s?" % (a, b), s, n


def facts_and_questions(rng, n):
    """n facts with their questions; some questions about absent facts."""
    facts, qa, seen = [], [], set()
    style = rng.random()
    while len(facts) < n:
        if style < 0.35:                                     # all of one relation: keys must be told apart
            rel = "passkey" if style < 0.2 else sorted(RELATIONS)[int(style * 1000) % len(RELATIONS)]
            gen, say, ask = RELATIONS[rel]
            k, v = person(rng), gen(rng)
            f = (rel, k), say.format(k=k, v=v), ask.format(k=k), say.format(k=k, v=v), v
        else:
            f = make_fact(rng)
        if f[0] not in seen:
            seen.add(f[0])
            facts.append(f[1])
            qa.append((f[2], f[3], f[4]))
    return facts, qa, seen


def absent(rng, seen):
    """A question whose fact is not among those seen; the answer is DONT_KNOW."""
    while True:
        f = make_fact(rng)
        if f[0] not in seen:
            return f[2], DONT_KNOW, DONT_KNOW


class Task:
    """One generated example, still as text.

    facts: sentences to scatter in prose (in this order); turns: [(question, answer, value)];
    block: lines that stay together instead of scattered facts; intro: text before the block.
    """

    def __init__(self, facts=(), turns=(), block="", intro=""):
        self.facts, self.turns, self.block, self.intro = list(facts), list(turns), block, intro


def big(size, options):
    """Long training examples ask more questions, so that enough tokens teach recall."""
    return size >= 1024 and not options.get("plain")


def t_recall(rng, size, **options):
    """Facts of all relations, some questions about facts that the text does not hold."""
    n = options.get("n") or max(1, min(int(rng.choice((1, 2, 4, 8, 16, 24)) * size / 512), 40))
    facts, qa, seen = facts_and_questions(rng, n)
    q = rng.sample(qa, min(len(qa), rng.choice((4, 8, 16, 24) if big(size, options) else (1, 2, 4, 8))))
    q = [absent(rng, seen) if rng.random() < 0.15 else x for x in q]
    return Task(facts, q)


def t_passkey(rng, size, **options):
    """One passkey."""
    name, v = person(rng), digits(rng, 5)
    s = "The passkey of %s is %s." % (name, v)
    return Task([s], [("What is the passkey of %s?" % name, s, v)])


def t_multikey(rng, size, **options):
    """Passkeys of many people, told apart by the name."""
    names = people(rng, options.get("n") or rng.choice((8, 16, 32) if big(size, options) else (4, 8, 16)))
    facts = ["The passkey of %s is %s." % (n, digits(rng, 5)) for n in names]
    q = rng.sample(facts, min(len(facts), rng.choice((4, 8, 16) if big(size, options) else (1, 2, 4))))
    return Task(facts, [("What is the passkey of %s?" % f.split()[3], f, f.split()[-1][:-1]) for f in q])


def t_kv(rng, size, **options):
    """A list of key-value lines and questions about some of them."""
    n = options.get("n") or max(3, min(size // 10, rng.choice((20, 40, 80, 160) if big(size, options) else (5, 10, 20, 40, 80))))
    keys = set()
    while len(keys) < n:
        keys.add(pick_word(rng) if n < 40 and rng.random() < 0.6 else pick_word(rng) + " " + pick_word(rng))
    keys = list(keys)
    rng.shuffle(keys)
    numeric = rng.random() < 0.6
    d = {x: digits(rng, 4) if numeric else pick_word(rng) for x in keys}
    ask = rng.sample(keys, min(n, rng.choice((4, 8, 16) if big(size, options) else (1, 2, 4, 8))))
    qs = [("What is the value of %s?" % x, "The value of %s is %s." % (x, d[x]), d[x]) for x in ask]
    return Task([], qs, block="".join("%s: %s\n" % (x, d[x]) for x in keys), intro="Here is a list of values.\n")


def t_multihop(rng, size, **options):
    """Two or three hops; the answer spells out the chain."""
    n = rng.choice((4, 6, 8, 12) if big(size, options) else (2, 3, 4, 6))
    names = people(rng, 2 * n)
    facts, qa = [], []
    for i in range(n):
        a, b = names[2 * i], names[2 * i + 1]
        o, p = rng.choice(OBJECTS), rng.choice(PLACES)
        f1 = "The %s of %s is in the room of %s." % (o, a, b)
        f2 = "The room of %s is in the %s." % (b, p)
        facts += [f1, f2]
        qa.append(("In which building is the %s of %s?" % (o, a), "%s %s So it is in the %s." % (f1, f2, p), p))
    rng.shuffle(facts)
    return Task(facts, rng.sample(qa, min(n, rng.choice((2, 4, 6) if big(size, options) else (1, 2, 3)))))


def t_vartrack(rng, size, **options):
    """RULER-like chains of assignments; the answer follows the chain back to the number."""
    chains, used = [], set()
    for _ in range(rng.choice((2, 4, 6) if big(size, options) else (1, 2, 3))):
        vs = []
        while len(vs) < rng.choice((2, 3, 4)):
            v = "".join(rng.choice("ABCDEFGHJKLMNPQRSTUVWXYZ") for _ in range(3))
            if v not in used:
                used.add(v)
                vs.append(v)
        chains.append((vs, digits(rng, 5)))
    said = [["VAR %s = %s." % (vs[0], x)] + ["VAR %s = VAR %s." % (b, a) for a, b in zip(vs, vs[1:])] for vs, x in chains]
    lines, facts = [list(x) for x in said], []
    while any(lines):
        c = rng.choice([x for x in lines if x])
        facts.append(c.pop(0))
    qs = [("What is the value of VAR %s?" % vs[i], "%s The value is %s." % (" ".join(s[i::-1]), x), x)
          for (vs, x), s in zip(chains, said) for i in [rng.randrange(1, len(vs))]]
    rng.shuffle(qs)
    return Task(facts, qs)


def t_count(rng, size, **options):
    """How often a word appears in a short list."""
    kinds = rng.sample(WORDS, rng.choice((2, 3, 4)))
    seq = [rng.choice(kinds) for _ in range(rng.randint(3, 14))]
    qs = [("How many times does %s appear?" % w, "%s appears %d times." % (w.capitalize(), seq.count(w)), str(seq.count(w)))
          for w in kinds if seq.count(w)]
    rng.shuffle(qs)
    return Task([], qs[:2], block=" ".join(seq) + "\n", intro="Here is a list of words.\n")


def t_copy(rng, size, **options):
    """Repeat a list of words and numbers."""
    m = max(4, min(size // 8, rng.choice((5, 10, 20, 40, 80))))
    s = " ".join(pick_word(rng) if rng.random() < 0.8 else digits(rng, rng.randint(1, 4)) for _ in range(m))
    return Task([], [("Repeat the list.", s, s)], block=s + "\n", intro="Here is a list.\n")


SMALL_TALK = [
    ("Hello!|Hi.|Good morning.|Hello there.|Hi!|Good evening.", "Hello! How can I help you?"),
    ("How are you?|How do you do?", "I am well, thank you. How can I help you?"),
    ("Who are you?|What are you?|What is your name?", "I am a small demo language model. I answer questions about a text."),
    ("What can you do?|How can you help me?", "Give me a text, and I will answer questions about it."),
    ("Thank you.|Thanks!|Thank you very much.", "You are welcome."),
    ("Goodbye.|Bye!|Good night.", "Goodbye!"),
]
SYSTEMS = ["You answer questions about the text.", "You are a helpful assistant.", "Answer from the text. If the text does not say, say that you don't know."]


def small_talk(rng):
    """(question, answer, answer) of a greeting or a question about the model itself."""
    q, a = rng.choice(SMALL_TALK)
    return rng.choice(q.split("|")), a, a
