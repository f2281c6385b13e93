using System.Text;
using Concertina.Gateway.Tests.Kit;

namespace Concertina.Gateway.Tests;

/// <summary>PUT /admin/kv/budget.</summary>
public sealed class BudgetTests : IAsyncLifetime
{
    private const string Key = "sk-operator";
    private TestGateway _gateway = null!;

    public async ValueTask InitializeAsync() => _gateway = await TestGateway.Start(("Admin:KeySha256", KeyHash.Of(Key)));

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    [Theory]
    [InlineData("{\"bytes\":536870912}")]
    [InlineData("{\"bytes\":\"512MiB\"}")]
    [InlineData("{\"bytes\":\"0.5 gib\",\"worker\":\"silo/cpu0\"}")]
    public async Task A_budget_is_given_to_the_worker_and_the_answer_says_how_far_it_is(string body)
    {
        Answer answer = await Put(body, Key);

        Assert.Equal(
            """
            {"object":"list","data":[{"object":"kv.budget","worker":"silo/cpu0","target_bytes":536870912,"actual_bytes":1073741824,
            "hold":"squeezing","promised_bytes":0}]}
            """.ReplaceLineEndings(""),
            answer.Body);
        Assert.Equal([("silo/cpu0", 512L << 20)], _gateway.Cluster.Budget.Asked);
    }

    [Theory]
    [InlineData("{\"bytes\":4194303}")]
    [InlineData("{\"bytes\":\"2GiB\"}")]
    public async Task A_budget_out_of_range_is_422_with_the_bytes_and_changes_no_worker(string body)
    {
        _gateway.Cluster.Budget.Load = [.. _gateway.Cluster.Budget.Load, _gateway.Cluster.Budget.Load[0] with { Worker = "silo/cpu1" }];

        Answer answer = await Put(body, Key);

        answer.Fails(422, "unprocessable", "bytes");
        Assert.Contains("4194304", answer.Body, StringComparison.Ordinal);
        Assert.Contains("1073741824", answer.Body, StringComparison.Ordinal);
        Assert.Empty(_gateway.Cluster.Budget.Asked);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("{\"bytes\":0}")]
    [InlineData("{\"bytes\":-5}")]
    [InlineData("{\"bytes\":1.5}")]
    [InlineData("{\"bytes\":\"many\"}")]
    [InlineData("{\"bytes\":\"-1GiB\"}")]
    [InlineData("{\"bytes\":\"99999999999TiB\"}")]
    [InlineData("{\"bytes\":null}")]
    public async Task What_is_no_size_is_400(string body)
    {
        (await Put(body, Key)).Fails(400, "invalid_value", "bytes");
        Assert.Empty(_gateway.Cluster.Budget.Asked);
    }

    [Fact]
    public async Task An_unknown_worker_is_404_and_a_loading_one_503()
    {
        (await Put("{\"bytes\":536870912,\"worker\":\"silo/none\"}", Key)).Fails(404, "worker_not_found", "worker");
        _gateway.Cluster.Budget.Details = _gateway.Cluster.Budget.Details with { Budget = null };
        (await Put("{\"bytes\":536870912}", Key)).Fails(503, "model_loading");
    }

    [Fact]
    public async Task Only_the_operator_may_change_it()
    {
        (await Put("{\"bytes\":536870912}", "sk-other")).Fails(401, "invalid_api_key");
        Assert.Empty(_gateway.Cluster.Budget.Asked);
    }

    private async Task<Answer> Put(string body, string key)
    {
        using HttpRequestMessage request = new(HttpMethod.Put, "/admin/kv/budget") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.TryAddWithoutValidation("authorization", $"Bearer {key}");
        using HttpResponseMessage response = await _gateway.Client.SendAsync(request);
        return await Answer.Of(response);
    }
}
