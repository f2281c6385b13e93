using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Concertina.System.Tests;

/// <summary>What one tenant computed is nothing to another, through HTTP on a real server.</summary>
public sealed class TenancyTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tenancy-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task A_cached_prefix_is_found_by_its_own_tenant_and_never_by_another()
    {
        await using ServerProcess server = await Serve("alice", "bob");
        RecallDocument document = RecallSet.Read(1024).First();
        JsonObject body = Chat.Body(8, document.Ask(document.Questions[0]));

        JsonElement first = await Ask(server, "alice", body);
        JsonElement again = await Ask(server, "alice", body);
        JsonElement other = await Ask(server, "bob", body);
        JsonElement otherAgain = await Ask(server, "bob", body);

        Assert.Equal([0, 0], [Chat.CachedTokens(first), Chat.CachedTokens(other)]);
        Assert.True(Chat.CachedTokens(again) >= 512, $"{Chat.CachedTokens(again)} tokens were found by their own tenant.");
        Assert.Equal(Chat.CachedTokens(again), Chat.CachedTokens(otherAgain));
        Assert.Equal(Chat.Text(first), Chat.Text(other));
        Assert.Equal(2, await Requests(server, "alice"));
        Assert.Equal(2, await Requests(server, "bob"));
    }

    private static string Key(string tenant) => $"sk-{tenant}";

    private static async Task<JsonElement> Ask(ServerProcess server, string tenant, JsonObject body)
    {
        server.Client.DefaultRequestHeaders.Remove("authorization");
        server.Client.DefaultRequestHeaders.Add("authorization", $"Bearer {Key(tenant)}");
        return await Chat.Complete(server.Client, body);
    }

    private static async Task<long> Requests(ServerProcess server, string tenant)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, "/v1/usage");
        server.Client.DefaultRequestHeaders.Remove("authorization");
        request.Headers.Add("authorization", $"Bearer {Key(tenant)}");
        using HttpResponseMessage response = await server.Client.SendAsync(request);
        return JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement.GetProperty("requests").GetInt64();
    }

    private async Task<ServerProcess> Serve(params string[] tenants)
    {
        string file = Path.Combine(_folder.FullName, "server.json");
        await File.WriteAllTextAsync(file, JsonSerializer.Serialize(new JsonObject
        {
            ["Tenants"] = new JsonObject(tenants.Select(tenant => KeyValuePair.Create(tenant, (JsonNode?)new JsonObject
            {
                ["KeySha256"] = new JsonArray(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Key(tenant))))),
            }))),
            ["KvCache"] = new JsonObject { ["BudgetBytes"] = "64MiB" },
            ["Store"] = new JsonObject { ["Directory"] = Path.Combine(_folder.FullName, "store") },
        }));
        return await ServerProcess.Start("--config", file);
    }
}
