using System.Text.Json;

namespace Concertina.Tokenization.Tests.Chat;

/// <summary>The bounds of a rendering hold inside the library too, and every failure is the template's.</summary>
public sealed class RenderingBudgetTests
{
    private const string Doubled = "{% set n = namespace(l=[1]) %}{% set m = namespace(l=[1]) %}{% for i in range(40) %}"
        + "{% set n.l = [n.l, n.l] %}{% set m.l = [m.l, m.l] %}{% endfor %}";

    private const string Long = "{% set n = namespace(s='ab') %}{% for i in range(12) %}{% set n.s = n.s + n.s %}{% endfor %}";

    private static readonly ChatTemplateOptions Small = new() { MaxSteps = 100_000, MaxTextUnits = 1 << 22 };

    [Theory]
    [InlineData(Doubled + "{{ n.l | tojson }}", "MaxSteps")]
    [InlineData(Doubled + "{{ n.l }}", "MaxSteps")]
    [InlineData(Doubled + "{{ n.l ~ '' }}", "MaxSteps")]
    [InlineData(Doubled + "{{ n.l == m.l }}", "MaxSteps")]
    [InlineData(Doubled + "{{ n.l < m.l }}", "MaxSteps")]
    [InlineData(Doubled + "{{ n.l in [m.l] }}", "MaxSteps")]
    [InlineData(Doubled + "{{ [n.l, m.l] | unique }}", "MaxSteps")]
    [InlineData(Doubled + "{{ [n.l, m.l] | sort }}", "MaxSteps")]
    [InlineData(Doubled + "{{ [n.l] | map('string') | join }}", "MaxSteps")]
    [InlineData("{{ range(30000) | sort | first }}", "MaxSteps")]
    [InlineData("{% for i in range(30000) %}{{ loop.changed(i) and range(9) | list }}{% endfor %}", "MaxSteps")]
    [InlineData("{{ ('x' * 2000000) | tojson }}{{ [' ' * 2000000] | tojson }}", "MaxTextUnits")]
    [InlineData("{{ ['a'] | tojson(indent=256) | length }}{% for i in range(90000) %}{% set x = ['a'] | tojson(indent=256) %}{% endfor %}", "Max")]
    [InlineData(Long + "{% for i in range(9999) %}{% set x = n.s | upper %}{% endfor %}", "MaxTextUnits")]
    [InlineData(Long + "{% for i in range(9999) %}{% set x = n.s.count('b') %}{% endfor %}", "MaxTextUnits")]
    [InlineData(Long + "{% for i in range(9999) %}{% set x = 'c' in n.s %}{% endfor %}", "MaxTextUnits")]
    [InlineData(Long + "{% set x = ('a' * 20000 + 'c') in ('a' * 60000) %}", "MaxTextUnits")]
    public void Work_inside_one_step_is_counted(string source, string bound) =>
        Assert.Contains(bound, Failure(source, Small).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("{% set loop = {'depth': 'x'} %}{% for i in [1] %}{{ loop.depth }}{% endfor %}", "1")]
    [InlineData("{{ (-9223372036854775807 - 1) is divisibleby(-1) }}", "True")]
    [InlineData("{{ (-9223372036854775807 - 1) % -1 }}", "0")]
    [InlineData("{{ [1, [2]] | tojson(indent=-1) }}", "[\n1,\n[\n2\n]\n]")]
    [InlineData("{{ [1, 2, 3][2::9223372036854775807] }}{{ 'abc'[::-9223372036854775807] }}", "[3]c")]
    [InlineData("{{ ['B', 'a', 'b', none, 1, 1.0, true, [1], [1], none] | unique | list }}", "['B', 'a', None, 1, [1]]")]
    [InlineData("{{ range(100000) | unique | list | length }}", "100000")]
    [InlineData("{{ 'a😀b' | length }}{{ 'a😀b'[1] }}{{ 'a😀b'[-1] }}{{ 'a😀b'[1:] }}{{ 'a😀b'[::-1] }}", "3😀b😀bb😀a")]
    public void Borders_of_the_library_give_what_python_gives(string source, string expected) =>
        Assert.Equal(expected, Render(source).Text);

    [Theory]
    [InlineData("{{ [1] | tojson(indent=257) }}", "indent of 257")]
    [InlineData("{{ [1] | map(filter='string') | list }}{{ [1, 'a'] | sort }}", "have no order")]
    [InlineData("a\n{{ 1 + 9223372036854775807 }}", "line 2")]
    public void Failures_are_the_templates_and_say_why(string source, string reason) =>
        Assert.Contains(reason, Failure(source).Message, StringComparison.Ordinal);

    [Fact]
    public void A_variable_that_is_no_text_fails_the_rendering_and_names_its_cause()
    {
        using JsonDocument broken = JsonDocument.Parse("\"\\ud800\"");
        ChatTemplateInput input = new()
        {
            Messages = [],
            Variables = new Dictionary<string, JsonElement> { ["x"] = broken.RootElement },
        };
        ChatTemplateException error = Assert.Throws<ChatTemplateException>(() => ChatTemplate.Compile("{{ x }}").Render(input));
        Assert.IsType<InvalidOperationException>(error.InnerException);
    }

    [Fact]
    public void Cancellation_is_not_a_failure_of_the_template() => Assert.Throws<OperationCanceledException>(
        () => ChatTemplate.Compile("{{ strftime_now('%Y') }}", clock: new CanceledClock()).Render(new ChatTemplateInput { Messages = [] }));

    [Fact]
    public void Characters_of_a_long_message_are_taken_without_walking_through_it()
    {
        string content = new('é', 1 << 20);
        ChatTemplate template = ChatTemplate.Compile(
            "{% set c = messages[0].content %}{% for i in range(9999) %}{% set x = c[i] ~ c[-1] ~ c | length %}{% endfor %}{{ c[9] }}",
            new ChatTemplateOptions { MaxTextUnits = 1 << 19 });
        Assert.Equal("é", template.Render(new ChatTemplateInput { Messages = [new ChatMessage("user", content)] }).Text);
    }

    private static RenderedChat Render(string source, ChatTemplateOptions? options = null) =>
        ChatTemplate.Compile(source, options).Render(new ChatTemplateInput { Messages = [] });

    private static ChatTemplateException Failure(string source, ChatTemplateOptions? options = null) =>
        Assert.Throws<ChatTemplateException>(() => Render(source, options));

    private sealed class CanceledClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => throw new OperationCanceledException();
    }
}
