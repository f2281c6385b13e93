using System.Text.Json;
using Microsoft.Extensions.Time.Testing;

namespace Concertina.Tokenization.Tests.Chat;

/// <summary>Renderings equal those of Jinja 3.1 with Hugging Face's settings (Data/jinja.json, made by Data/jinja_vectors.py).</summary>
public sealed class JinjaConformanceTests
{
    private static readonly JsonDocument Vectors = JsonDocument.Parse(
        File.ReadAllBytes(Path.Combine(TestData.RepositoryRoot, "tests", "Tokenization.Tests", "Data", "jinja.json")));

    public static TheoryData<int> Cases => [.. Enumerable.Range(0, Vectors.RootElement.GetProperty("cases").GetArrayLength())];

    public static TheoryData<int> Errors => [.. Enumerable.Range(0, Vectors.RootElement.GetProperty("errors").GetArrayLength())];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Rendering_equals_that_of_jinja(int index)
    {
        JsonElement vector = Vectors.RootElement.GetProperty("cases")[index];
        string source = vector.TryGetProperty("source", out JsonElement own)
            ? own.GetString()!
            : Vectors.RootElement.GetProperty("templates").GetProperty(vector.GetProperty("template").GetString()!).GetString()!;
        ChatTemplate template = ChatTemplate.Compile(source, clock: Clock());
        ChatTemplateInput input = InputOf(vector);

        if (vector.TryGetProperty("raises", out JsonElement reason))
        {
            ChatTemplateException refusal = Assert.Throws<ChatTemplateException>(() => template.Render(input));
            Assert.True(refusal.RaisedByTemplate, refusal.Message);
            Assert.Equal(reason.GetString(), refusal.Message);
            return;
        }

        string expected = vector.GetProperty("expected").GetString()!;
        string actual = template.Render(input).Text;
        Assert.True(expected == actual, $"{source}\nexpected {JsonSerializer.Serialize(expected)}\nactual   {JsonSerializer.Serialize(actual)}");
    }

    [Theory]
    [MemberData(nameof(Errors))]
    public void What_jinja_refuses_is_refused_with_a_place(int index)
    {
        string source = Vectors.RootElement.GetProperty("errors")[index].GetProperty("source").GetString()!;
        ChatTemplateException error = Assert.Throws<ChatTemplateException>(() =>
            ChatTemplate.Compile(source).Render(new ChatTemplateInput { Messages = [new ChatMessage("user", "x")] }));
        Assert.Equal(1, error.Line);
        Assert.InRange(error.Column, 1, source.Length + 1);
    }

    private static FakeTimeProvider Clock()
    {
        DateTime now = DateTime.Parse(Vectors.RootElement.GetProperty("now").GetString()!, System.Globalization.CultureInfo.InvariantCulture);
        return new FakeTimeProvider(new DateTimeOffset(now, TimeSpan.Zero));
    }

    private static ChatTemplateInput InputOf(JsonElement vector) => new()
    {
        Messages = [.. vector.GetProperty("messages").EnumerateArray().Select(MessageOf)],
        AddGenerationPrompt = vector.GetProperty("addGenerationPrompt").GetBoolean(),
        BosToken = "<s>",
        EosToken = "</s>",
        Tools = vector.GetProperty("tools") is { ValueKind: JsonValueKind.Array } tools ? tools : null,
        Variables = vector.GetProperty("variables").EnumerateObject().ToDictionary(entry => entry.Name, entry => entry.Value),
    };

    private static ChatMessage MessageOf(JsonElement message) =>
        new(message.GetProperty("role").GetString()!, message.GetProperty("content").GetString())
        {
            Fields = message.EnumerateObject().Where(field => field.Name is not "role" and not "content")
                .ToDictionary(field => field.Name, field => field.Value),
        };
}
