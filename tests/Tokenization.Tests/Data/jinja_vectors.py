"""Makes jinja.json: what Jinja 3.1 with the settings of Hugging Face's apply_chat_template gives.

    python3 jinja_vectors.py jinja.json
"""
import json,jinja2,datetime
from jinja2.sandbox import ImmutableSandboxedEnvironment
import jinja2.ext
def raise_exception(m): raise jinja2.exceptions.TemplateError(m)
def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)
class Gen(jinja2.ext.Extension):
    tags={"generation"}
    def parse(self,parser):
        ln=next(parser.stream).lineno
        body=parser.parse_statements(["name:endgeneration"],drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_g"),[],[],body).set_lineno(ln)
    def _g(self,caller): return caller()
env=ImmutableSandboxedEnvironment(trim_blocks=True,lstrip_blocks=True,extensions=[Gen,jinja2.ext.loopcontrols])
env.filters["tojson"]=tojson
env.globals["raise_exception"]=raise_exception
NOW=datetime.datetime(2026,3,5,14,7,9)
env.globals["strftime_now"]=lambda f: NOW.strftime(f)
U={"role":"user","content":"Hello <b>\"you\"</b>\n  second line  "}
S={"role":"system","content":"  Be brief. "}
A={"role":"assistant","content":"Hi!\n"}
U2={"role":"user","content":"ünïcode 😀 & more"}
CONV={"one":[U],"sys":[S,U],"long":[S,U,A,U2],"plain":[U,A,U2]}
TOOLS=[{"type":"function","function":{"name":"get_weather","description":"Weather of a \"city\"","parameters":{"type":"object","properties":{"city":{"type":"string","enum":["Zürich","x"]},"days":{"type":"integer","default":1.5}},"required":["city"]}}}]
TC=[U,{"role":"assistant","content":None,"tool_calls":[{"id":"abcdefghi","type":"function","function":{"name":"get_weather","arguments":{"city":"Zürich","days":2}}}]},{"role":"tool","tool_call_id":"abcdefghi","name":"get_weather","content":"{\"t\": 3}"},{"role":"assistant","content":"3 degrees"},U2]
T={}
# One template per published family, written for these tests: the same marks and the same parts of the language.
T["roles"]="{% for message in messages %}{{'<|' + message['role'] + '|>\n' + message['content'] + '<|end|>\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}"
T["chatml"]="{% for m in messages %}{{ '<|im_start|>' ~ m.role ~ '\n' ~ m.content ~ '<|im_end|>\n' }}{% endfor %}{{ '<|im_start|>assistant\n' if add_generation_prompt }}"
T["headers"]="{% for m in messages %}{% set turn = '<|start_header_id|>' + m['role'] + '<|end_header_id|>\n\n' + m['content'] | trim + '<|eot_id|>' %}{{ bos_token + turn if loop.first else turn }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
T["turns"]="{{ bos_token }}{% for m in messages %}{% if m.role not in ['user', 'assistant'] %}{{ raise_exception('no ' + m.role + ' here') }}{% endif %}{% set who = 'model' if m.role == 'assistant' else m.role %}{{ '<start_of_turn>' + who + '\n' + m.content | trim + '<end_of_turn>\n' }}{% endfor %}{% if add_generation_prompt %}{{'<start_of_turn>model\n'}}{% endif %}"
T["inst"]="{{ bos_token }}{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('user and assistant must alternate') }}{% elif m.role == 'user' %}{{ '[INST] ' + m.content + ' [/INST]' }}{% else %}{{ m.content + eos_token }}{% endif %}{% endfor %}"
T["sys"]="{% set rest = messages[1:] if messages[0].role == 'system' else messages %}{% for m in rest %}{% if m.role == 'user' %}{{ bos_token ~ '[INST] ' ~ ('<<SYS>>\n' ~ messages[0].content ~ '\n<</SYS>>\n\n' if loop.first and rest|length < messages|length) ~ m.content.strip() ~ ' [/INST]' }}{% else %}{{ ' ' + m['content'].strip() + ' ' + eos_token }}{% endif %}{% endfor %}"
T["tools"]='''{#- Tools first, then the turns. -#}
{%- if tools %}
    {{- '<|im_start|>system\\n' ~ (messages[0].content if messages[0].role == 'system' else 'Use tools.') }}
    {%- for tool in tools %}
        {{- "\\n" ~ (tool | tojson) }}
    {%- endfor %}
    {{- "<|im_end|>\\n" }}
{%- endif %}
{%- for m in messages %}
    {%- if m.tool_calls is defined and m.tool_calls is not none %}
        {{- '<|im_start|>' + m.role }}
        {%- for call in m.tool_calls %}
            {%- if call.function is defined %}
                {%- set call = call.function %}
            {%- endif %}
            {{- '\\n{"name": "' + call.name + '", "arguments": ' }}
            {{- call.arguments | tojson(indent=2) }}
            {{- '}' }}
        {%- endfor %}
        {{- '<|im_end|>\\n' }}
    {%- elif m.role == "tool" %}
        {%- if loop.first or loop.previtem.role != "tool" %}
            {{- '<|im_start|>user' }}
        {%- endif %}
        {{- '\\n<answer id="' ~ m.tool_call_id ~ '">' ~ m.content ~ '</answer>' }}
        {%- if loop.last or loop.nextitem.role != "tool" %}
            {{- '<|im_end|>\\n' }}
        {%- endif %}
    {%- elif not (m.role == 'system' and tools) %}
        {{- '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
'''
T["dated"]='''{{- bos_token }}
{%- if not today is defined %}
    {%- set today = strftime_now("%d %b %Y") %}
{%- endif %}
{%- macro head(role) %}{{ '<|start_header_id|>' ~ role ~ '<|end_header_id|>\\n\\n' }}{% endmacro %}
{{- head('system') ~ 'Date: ' ~ today }}
{%- set users = messages | selectattr("role", "equalto", "user") | list %}
{%- for m in messages if m.role != 'system' %}
    {%- if 'tool_calls' in m %}
        {{- head(m.role) }}
        {%- for key, value in m.tool_calls[0].function.items() %}
            {%- if value is string %}{{ key ~ '=' ~ value }}{% elif value is mapping %}{{ ' ' ~ key ~ ': ' ~ value|tojson }}{% endif %}
        {%- endfor %}
    {%- else %}
        {{- head('ipython' if m.role == 'tool' else m.role) }}
        {%- if m == users[-1] and tools is not none %}
            {%- for tool in tools %}
                {{- tool.function | tojson(indent=4) }}
                {{- "\\n\\n" }}
            {%- endfor %}
        {%- endif %}
        {{- m.content|trim }}
    {%- endif %}
    {{- '<|eot_id|>' -}}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- head('assistant') }}
{%- endif %}
'''
T["thinking"]='''{%- set ns = namespace(last=-1) %}
{%- for m in messages[::-1] %}
    {%- if ns.last < 0 and m.role == "user" and m.content is string and not m.content.startswith('<answer') %}
        {%- set ns.last = messages|length - 1 - loop.index0 %}
    {%- endif %}
{%- endfor %}
{%- for m in messages %}
    {%- set text = m.content if m.content is string else '' %}
    {%- set thought = '' %}
    {%- if m.role == "assistant" and '</think>' in text %}
        {%- set thought = text.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
        {%- set text = text.split('</think>')[-1].lstrip('\\n') %}
    {%- endif %}
    {{- '<|im_start|>' + m.role + '\\n' }}
    {%- if thought and loop.index0 > ns.last %}
        {{- '<think>\\n' + thought.strip('\\n') + '\\n</think>\\n\\n' }}
    {%- endif %}
    {{- text + '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
{%- endif %}
'''
M=[ # small pieces
"a\n{% if true %}\nb\n{% endif %}\nc\n", "  {% if true %}x{% endif %}  \n  y", "{%+ if true %} a {%+ endif %}", "x  {#- c -#}  y", "  {# c #}\nz", "a {{- ' b ' -}} c", "{{ 'a' }}\n{{ 'b' }}\n",
"{% raw %}{{ x }}{% endraw %}|", "  {% set x = 1 %}\n  {{ x }}", "{% for i in range(3) %}\n  {{ i }}\n{% endfor %}", "{% for i in [] %}a{% else %}empty{% endfor %}",
"{{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % 3 }} {{ -7 % 3 }} {{ 2 ** 10 }} {{ 7 / 2 }} {{ 6 / 2 }} {{ 1.5 + 1 }} {{ 1e20 }} {{ 0.00001 }} {{ 123456789.125 }} {{ 1/3 }}",
"{{ [1, 'a', none, true, 1.0, {'k': \"it's\"}] }} {{ {'a': [1]} }}", "{{ 'a' ~ 1 ~ none ~ true }}", "{{ 'abc'[1] }} {{ 'abc'[-1] }} {{ 'abcdef'[1:4] }} {{ 'abcdef'[::-1] }} {{ 'abcdef'[::2] }} {{ [1,2,3][1:] }} {{ [1,2,3][:-1] }}",
"{{ x is defined }} {{ x is not defined }} {{ none is none }} {{ 'a' is string }} {{ [] is iterable }} {{ {} is mapping }} {{ 3 is odd }} {{ 3 is divisibleby 3 }} {{ 1 is number }} {{ 'a' is iterable }} {{ {} is sequence }} {{ true is boolean }} {{ 1 is eq 1 }} {{ 'a' is in ['a'] }}",
"{{ '  a b '|trim }}|{{ 'aXb'|upper }}|{{ 'aXb'|lower }}|{{ 'hello wORLD'|title }}|{{ 'hELLO wORLD'|capitalize }}|{{ 'a-b'|replace('-', '+') }}|{{ [1,2]|join(', ') }}|{{ nope|default('d') }}|{{ ''|default('d', true) }}|{{ '12'|int + 1 }}|{{ 'x'|int }}|{{ '1.5'|float }}|{{ 3|string + 'x' }}|{{ 'abc'|list }}|{{ 'abc'|length }}|{{ 'abc'|first }}{{ 'abc'|last }}|{{ [3,1,2]|sort }}|{{ ['b','A']|sort }}|{{ [1,1,2]|unique|list }}|{{ [1,2,3]|sum }}|{{ [1,2,3]|max }}|{{ [3,2]|reverse|list }}|{{ -3|abs }}|{{ 'abc'|reverse }}",
"{% for k, v in {'a': 1, 'b': 2}|items %}{{ k }}={{ v }};{% endfor %}{% for k, v in {'a': 1}.items() %}{{ k }}{{ v }}{% endfor %}{% for k in {'q': 1} %}{{ k }}{% endfor %}{{ {'a': 1}.get('b', 5) }}{{ {'a': 1}.get('z') }}",
"{% for x in 'abc' %}{{ loop.index }}{{ loop.first }}{{ loop.last }}{{ loop.revindex }}{{ loop.previtem }}{{ loop.nextitem }}{{ loop.length }}{{ loop.cycle('o','e') }}{{ loop.changed(x) }};{% endfor %}",
"{% for x in range(10) if x is even %}{% if x == 6 %}{% break %}{% endif %}{% if x == 2 %}{% continue %}{% endif %}{{ x }}{{ loop.index }} {% endfor %}",
"{% set ns = namespace(n=0, s='') %}{% for x in [1,2,3] %}{% set ns.n = ns.n + x %}{% set ns.s = ns.s ~ x %}{% set y = x %}{% endfor %}{{ ns.n }} {{ ns.s }} {{ y is defined }}",
"{% macro m(a, b='x', c=a) %}[{{ a }}|{{ b }}|{{ c }}]{% endmacro %}{{ m(1) }}{{ m(1, c=3) }}{{ m('p', 'q') }}", "{% set x %}  body {{ 1 + 1 }} {% endset %}<{{ x }}>{% set y | trim | upper %} abc {% endset %}<{{ y }}>", "{% filter upper %}abc{{ 'd' }}{% endfilter %}",
"{{ 'yes' if 1 < 2 else 'no' }}{{ 'yes' if false }}{{ 1 < 2 < 3 }}{{ 1 < 3 < 2 }}{{ not 1 == 2 }}{{ 1 in [1] and 2 not in [1] }}{{ 'a' in 'cat' }}{{ none or 'x' }}{{ '' and 'x' }}",
"{{ 'a,b,,c'.split(',') }} {{ ' a  b '.split() }} {{ 'a,b,c'.split(',', 1) }} {{ 'xxaxx'.strip('x') }} {{ 'xa '.lstrip('x') }}| {{ ' ab\\n'.rstrip() }}| {{ 'hello world'.title() }} {{ 'Abc'.upper() }} {{ 'a.b'.replace('.', '') }} {{ 'abc'.startswith('ab') }} {{ 'abc'.endswith(('x','bc')) }} {{ 'abc'.find('c') }} {{ '-'.join(['a','b']) }} {{ 'a\\nb\\r\\nc'.splitlines() }} {{ 'banana'.count('an') }}",
"{{ {'b': 1, 'a': [true, none, 1.5, 'é\"\\n<']}|tojson }}\n{{ {'b': {'c': []}, 'd': [1, {}]}|tojson(indent=2) }}",
"{{ ['a','b']|map('upper')|join }} {{ [{'n': 1},{'n': 2}]|map(attribute='n')|list }} {{ [{'n': 1},{'n': 2}]|selectattr('n', 'gt', 1)|list }} {{ [{'n': 1},{}]|selectattr('n', 'defined')|list }} {{ [0,1,2]|select|list }} {{ [1,2,3]|reject('odd')|list }} {{ [{'r':'x'},{'r':'y'}]|rejectattr('r','equalto','x')|list }}",
"{{ x }}{{ none }}{{ true }}{{ 'quote\\'s' }}{{ \"\\u00e9\\x41\\t|\" }}", "{{ 'a' 'b' }}{{ (1, 2) }}" if False else "{{ 'a' 'b' }}", "{{ 'a\nb\n\nc'|indent }}|{{ 'a\nb'|indent(2, true) }}", "{{ [1,2]+[3] }}{{ 'ab'*2 }}{{ -3 + 2 * 2 - 1 }}{{ (2 + 3) ~ 4 }}{{ 10 - 2 - 3 }}{{ -2|abs }}{{ 1.0 == 1 }}{{ 'b' > 'a' }}", "{{ strftime_now('%d %B %Y, %A %H:%M:%S %j %y %p %I %%') }}",
"{% if messages|length > 1 and messages[1].role == 'user' %}{{ messages[1].content }}{% endif %}", "{% for m in messages %}{% if not loop.first and m.role == loop.previtem.role %}!{% endif %}{{ m.role[0] }}{% endfor %}",
"{% generation %}x{% endgeneration %}y", "{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set t = (1, 2) %}{{ t[0] }}", "{{ range(2, 8, 3)|list }}{{ range(3, 0, -1)|list }}", "{{ dict(a=1)['a'] }}{{ {'x': {'y': 2}}.x.y }}{{ {'x': 1}['zz'] is undefined }}", "{%- for i in [1,2] -%}\n  {{ i }}\n{%- endfor -%}\n end", "{% if x is defined and x %}a{% elif not x %}b{% else %}c{% endif %}", "\r\nline{{ 1 }}\r\n", "{{ 5|round }} {{ 2.567|round(1) }} {{ '%'}} {{ '{{' }} {{ '%}' }}", "{{ messages[0]['content'][:5] + '...' }}{{ messages[0].content.split('\n')|last|trim }}", "{{ 'ÀÉ'|lower }} {{ 'straße'.title() }} {{ \"they're\"|title }}",
"{{ [[1,2],[3]]|length }}{{ ''|length }}{{ {'a':1}|length }}{{ nope|length }}", "{{ {'b':1,'A':2}|dictsort|map('first')|list }}", "{{ 'x' is lower }} {{ 'X' is upper }} {{ 1 is sameas 1 }} {{ true is true }} {{ 1.5 is float }} {{ 2 is integer }} {{ nope is none }}", "a{% if true %}b{% endif %}\n\n{% if true %}\n\n  c\n{% endif %}  d", "   {{ 'x' }}   {% if true %}   \n y {% endif %} \n", "{{- 'a' }}   {%- if true -%}   b   {%- endif %}   c", "x\n   {#- note #}\ny\n   {# note -#}   \n z\n",
]
ERR=["{{ x.y }}","{{ 1 + 'a' }}","{{ nope() }}","{% if %}","{{ 1 ","{% for x in 5 %}{% endfor %}","{{ raise_exception('no ' ~ 1) }}","{{ 1 // 0 }}","{{ 'a'|nofilter }}","{{ 1 is notest }}","{% foo %}","{{ x + 'a' }}","{{ 'abc }}","{% endif %}","{% for a, b in [1] %}{% endfor %}","{# open"]
import sys
out={"now":NOW.isoformat(),"templates":T,"cases":[],"errors":[]}
def run(src,ctx):
    return env.from_string(src).render(**ctx)
def ctxof(msgs,agp,tools,extra): 
    return dict(messages=msgs,add_generation_prompt=agp,bos_token="<s>",eos_token="</s>",tools=tools,**extra)
def add(name,src,msgs,agp,tools=None,extra={}):
    case={"template":name,"messages":msgs,"addGenerationPrompt":agp,"tools":tools,"variables":extra}
    if src is not None: case["source"]=src
    try: case["expected"]=run(src if src is not None else T[name],ctxof(msgs,agp,tools,extra))
    except jinja2.exceptions.TemplateError as e:
        case["raises"]=str(e)
    out["cases"].append(case)
for n in T:
    for c in CONV:
        for agp in (True,False): add(n,None,CONV[c],agp)
for n in ("tools","dated"):
    add(n,None,TC,True,TOOLS); add(n,None,CONV["long"],True,TOOLS)
TH=[U,{"role":"assistant","content":"<think>\nhm\n</think>\n\nYes"}]
for extra in ({},{"enable_thinking":False}): add("thinking",None,TH,True,None,extra); add("thinking",None,TH+[U2],True,None,extra)
for i,m in enumerate(M): add("piece %d"%i,m,CONV["long"],True)
for e in ERR:
    try: run(e,ctxof(CONV["long"],True,None,{})); print("NO ERROR",e,file=sys.stderr)
    except Exception as x: out["errors"].append({"source":e,"jinja":str(x)})
json.dump(out,open(sys.argv[1],"w"),ensure_ascii=False,indent=1)
print(len(out["cases"]),len(out["errors"]),sum("raises" in c for c in out["cases"]))
