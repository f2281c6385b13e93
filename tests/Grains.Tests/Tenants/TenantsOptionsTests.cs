using Concertina.Contracts.Tenants;
using Concertina.Grains.Tenants;

namespace Concertina.Grains.Tests.Tenants;

public sealed class TenantsOptionsTests
{
    private static readonly string Hash = new('a', 64);

    [Fact]
    public void Good_tenants_have_no_problems() => Assert.Empty(Of("me", new TenantOptions { KeySha256 = [Hash] }).Problems());

    [Theory]
    [InlineData("a b", "id")]
    [InlineData("a/b", "id")]
    [InlineData("", "id")]
    public void A_tenant_id_is_a_plain_word(string id, string named) =>
        Assert.Contains(named, Assert.Single(Of(id, new TenantOptions { KeySha256 = [Hash] }).Problems()), StringComparison.Ordinal);

    [Fact]
    public void Each_wrong_value_is_named_with_its_key()
    {
        TenantOptions wrong = new() { KeySha256 = ["abc"], RequestsPerMinute = 0, TokensPerMinute = -1, TokenBudget = 0, Weight = 0, Priority = (TenantPriority)7, DefaultFloor = "INT4" };
        string problems = string.Join('\n', Of("me", wrong).Problems());
        foreach (string name in (string[])["KeySha256", "RequestsPerMinute", "TokensPerMinute", "TokenBudget", "Weight", "Priority", "DefaultFloor"])
        {
            Assert.Contains($"Tenants:me:{name}", problems, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_tenant_without_a_key_and_a_key_of_two_tenants_are_refused()
    {
        TenantsOptions shared = new()
        {
            ById = new Dictionary<string, TenantOptions>
            {
                ["a"] = new TenantOptions { KeySha256 = [Hash] },
                ["b"] = new TenantOptions { KeySha256 = [Hash.ToUpperInvariant()] },
            },
        };
        Assert.Contains("given twice", Assert.Single(shared.Problems()), StringComparison.Ordinal);
        Assert.Contains("is empty", Assert.Single(Of("me", new TenantOptions()).Problems()), StringComparison.Ordinal);
    }

    private static TenantsOptions Of(string id, TenantOptions options) => new() { ById = new Dictionary<string, TenantOptions> { [id] = options } };
}
