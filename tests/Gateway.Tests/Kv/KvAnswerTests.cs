using System.Text.Json;
using System.Text.Json.Nodes;
using Concertina.Contracts.Sessions;
using Concertina.Gateway.Tests.Kit;

namespace Concertina.Gateway.Tests.Kv;

/// <summary>Contract test 86: what an answer ran on is reported, whole and streamed.</summary>
public sealed class KvAnswerTests : IAsyncLifetime
{
    private static readonly JsonObject WithUsage = new() { ["include_usage"] = true };
    private TestGateway _gateway = null!;

    public async ValueTask InitializeAsync() => _gateway = await TestGateway.Start();

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    [Fact]
    public async Task T86_A_lossless_answer_says_so_with_round_numbers()
    {
        Answer answer = await _gateway.Chat(TestGateway.Body());

        Assert.Equal(
            """{"rung":"f16","bytes":4096,"exact":true,"waits":0,"bits":16,"ratio":1,"lossy":false,"distortion":0,"transcodes":0}""",
            answer.Usage.GetProperty("kv").GetRawText());
        Assert.Equal("f16 16 1 0 0 true", HeadersOf(answer));
    }

    [Fact]
    public async Task T86_A_squeezed_answer_reports_ratio_bits_distortion_and_transcodes()
    {
        EndOn(facts => facts with { Rung = "int4", Bits = 4.61234567, Ratio = 3.30001, Distortion = 0.00412, Transcodes = 96, Exact = false });

        Answer answer = await _gateway.Chat(TestGateway.Body());

        Assert.Equal(
            """{"rung":"int4","bytes":4096,"exact":false,"waits":0,"bits":4.6123,"ratio":3.3,"lossy":true,"distortion":0.00412,"transcodes":96}""",
            answer.Usage.GetProperty("kv").GetRawText());
        Assert.Equal("int4 4.6123 3.3 0.00412 96 false", HeadersOf(answer));
    }

    [Fact]
    public async Task T86s_A_stream_reports_the_same_in_its_last_chunk_and_no_header_before_it_is_known()
    {
        EndOn(facts => facts with { Rung = "int4", Bits = 4.5, Ratio = 3.4, Distortion = 0.00412, Transcodes = 96, Exact = false });
        string whole = (await _gateway.Chat(TestGateway.Body())).Usage.GetProperty("kv").GetRawText();

        using HttpRequestMessage request = TestGateway.Request(TestGateway.Body(("stream", true), ("stream_options", WithUsage.DeepClone())));
        using HttpResponseMessage response = await _gateway.Client.SendAsync(request);
        StreamedAnswer stream = await StreamedAnswer.Of(response);

        Assert.Equal(whole, stream.Chunks[^1].GetProperty("usage").GetProperty("kv").GetRawText());
        Assert.DoesNotContain(response.Headers, header => header.Key.StartsWith("x-kv-", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task A_rung_without_a_measure_has_a_distortion_of_null_and_no_header_for_it()
    {
        EndOn(facts => facts with { Rung = "int2", Distortion = null });

        Answer answer = await _gateway.Chat(TestGateway.Body());

        Assert.Equal(JsonValueKind.Null, answer.Usage.GetProperty("kv").GetProperty("distortion").ValueKind);
        Assert.Null(answer.Header("x-kv-distortion"));
    }

    [Theory]
    [InlineData("f16", 0, false)]
    [InlineData("f32", 0, false)]
    [InlineData("f16", 1, true)]
    [InlineData("int8", 0, true)]
    public async Task An_answer_is_lossy_when_a_unit_was_below_lossless_or_transcoded(string rung, long transcodes, bool lossy)
    {
        EndOn(facts => facts with { Rung = rung, Transcodes = transcodes });

        Answer answer = await _gateway.Chat(TestGateway.Body());

        Assert.Equal(lossy, answer.Usage.GetProperty("kv").GetProperty("lossy").GetBoolean());
    }

    [Fact]
    public async Task The_readme_shows_the_members_that_an_answer_has()
    {
        string readme = await File.ReadAllTextAsync(Path.Combine(Demo.Root, "README.md"), TestContext.Current.CancellationToken);
        string line = readme.Split('\n').Single(text => text.StartsWith("{\"object\":\"chat.completion\"", StringComparison.Ordinal));

        Answer answer = await _gateway.Chat(TestGateway.Body());

        Assert.Equal(Names(JsonDocument.Parse(line).RootElement.GetProperty("usage")), Names(answer.Usage));
        Assert.Equal(
            Names(JsonDocument.Parse(line).RootElement.GetProperty("usage").GetProperty("kv")), Names(answer.Usage.GetProperty("kv")));
    }

    private static IEnumerable<string> Names(JsonElement value) => value.EnumerateObject().Select(member => member.Name);

    private static string HeadersOf(Answer answer) => string.Join(' ',
        ((string[])["rung", "bits", "ratio", "distortion", "transcodes", "exact"]).Select(name => answer.Header($"x-kv-{name}")));

    private void EndOn(Func<FinishFacts, FinishFacts> change)
    {
        Script before = _gateway.Cluster.Script;
        _gateway.Cluster.Script = (run, cancellation) =>
            before(run, cancellation).Select(chunk => chunk.Finish is { } finish ? chunk with { Finish = change(finish) } : chunk);
    }
}
