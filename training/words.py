"""Word lists from which names, objects, places and code words are drawn (shared by training and held-out samples)."""

NAMES = """Mara Tobias Elena Jonas Clara Victor Nadia Oscar Ruth Felix Greta Hugo Iris Julian Karin Leon Miriam Nils Olga
Peter Quentin Rosa Simon Tamara Ursula Vera Walter Xenia Yusuf Zelda Adam Beatrice Carlos Diana Edgar Fiona George Hannah
Igor Judith Klaus Laura Martin Nora Otto Paula Ralph Sofia Thomas Ulla Vincent Wanda Alice Boris Cecil Dora Emil Frida
Gustav Helen Ivan Jane Kurt Lydia Max Nina Oliver Petra Robert Stella Theo Una Viola William Agnes Bruno Celia David Edith
Frank Gloria Henry Ingrid Jacob Kate Louis Martha Norman Olive Philip Rachel Samuel Teresa Arthur Anna Bernard Charlotte
Daniel Emma Fred Grace Harold Isabel James Lucy Mark Nancy Patrick Sarah Stephen Susan Timothy Amir Chen Fatima Hiro Kofi
Lena Marco Priya Ravi Sana Tariq Yuki Zara Omar Leila Pavel Anton Mina Luca Aldo Berta Ciro Dalia Enzo""".split()
COLOURS = "red blue green yellow purple orange white black brown grey pink silver golden scarlet crimson violet".split()
CITIES = """London Paris Rome Vienna Oslo Madrid Lisbon Dublin Athens Cairo Boston Chicago Berlin Prague Warsaw Geneva Venice
Naples Bristol York Oxford Bath Dover Calais Lyons Milan Turin Florence Delhi Tokyo Lima Havana Quebec Sydney Bergen Malta
Cork Leeds Ghent Bremen Dresden Munich Seville Tunis""".split()
JOBS = """baker doctor teacher sailor farmer lawyer painter carpenter tailor nurse soldier singer miller hunter judge clerk
gardener cook blacksmith printer weaver captain writer actor shepherd fisherman mason banker barber pilot""".split()
PETS = "dog cat horse parrot rabbit goat pig hen goose pony monkey tortoise donkey lamb fox owl raven mouse".split()
FOODS = "bread cheese soup fish rice honey apples pears cake butter eggs beef beans plums cherries nuts grapes pie ham onions".split()
OBJECTS = """key ring book lamp clock sword map letter coin cup knife box watch hat coat boot mirror candle bell rope chain
basket bottle hammer drum flute crown shield lantern purse glove pipe spoon ladder saddle bucket compass brush needle""".split()
PLACES = """kitchen garden attic cellar library stable tower chapel barn mill harbour market forest cave bridge castle church
school inn workshop tent meadow cottage palace museum theatre station hospital prison bakery temple orchard village""".split()
WORDS = """apple river stone window paper silver winter music garden bottle candle feather hammer island jacket kettle ladder
marble needle ocean pencil ribbon saddle table valley wagon anchor basket castle desert engine forest guitar hollow iron jewel
kitten lemon meadow nephew orange pillow rocket summer ticket valley whistle yellow acorn bridge copper dragon eagle finger
ginger harbour insect jungle kingdom lantern mirror nation olive planet queen rabbit shadow thunder uncle velvet walnut zebra
barrel carpet donkey errand fabric gallop helmet ivory lizard magnet napkin oyster pepper quiver raisin sailor tunnel violet
wizard badger cactus dinner elbow falcon goblet hunter kernel locket mustard nettle otter parcel radish salmon temper turnip
umbrella vessel willow beacon cradle dagger ember fiddle grain hearth inkwell""".split()
ONSETS = "b br c ch d dr f fl g gr h j k l m n p pr qu r s sh st t th tr v w z".split()
VOWELS = "a e i o u ai ea oo ie".split()
CODAS = ["", "", "", "n", "r", "l", "s", "t", "nd", "rk", "m", "x", "ck"]
