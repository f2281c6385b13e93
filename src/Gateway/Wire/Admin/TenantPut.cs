using System.Text.Json;
using System.Text.Json.Serialization;

namespace Concertina.Gateway.Wire.Admin;

/// <summary>The body of <c>PUT /admin/tenants/{id}</c>: what is there is changed, null goes back to the configuration.</summary>
internal sealed record TenantPut
{
    /// <summary>The members, whatever they are called.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Members { get; set; }
}
