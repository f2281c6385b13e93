using System.ComponentModel.DataAnnotations;
using Concertina.Contracts.Tenants;

namespace Concertina.Grains.Tenants;

/// <summary>What holds for a tenant: its configuration, and over it what was set at run time.</summary>
internal sealed class TenantRules
{
    private static readonly Dictionary<string, string> Fields = new()
    {
        [nameof(TenantOptions.Weight)] = TenantFields.Weight,
        [nameof(TenantOptions.Priority)] = TenantFields.Priority,
        [nameof(TenantOptions.DefaultFloor)] = TenantFields.DefaultFloor,
        [nameof(TenantOptions.RequestsPerMinute)] = TenantFields.RequestsPerMinute,
        [nameof(TenantOptions.TokensPerMinute)] = TenantFields.TokensPerMinute,
        [nameof(TenantOptions.TokenBudget)] = TenantFields.TokenBudget,
    };

    private readonly TenantOptions _configured;
    private readonly TenantOverrides _overrides;

    public TenantRules(TenantOptions configured, TenantOverrides overrides)
    {
        (_configured, _overrides) = (configured, overrides);
        Now = configured with
        {
            Weight = overrides.Weight ?? configured.Weight,
            Priority = overrides.Priority ?? configured.Priority,
            DefaultFloor = overrides.DefaultFloor is { } floor ? (floor == TenantOverrides.NoFloor ? null : floor) : configured.DefaultFloor,
            RequestsPerMinute = Limit(overrides.RequestsPerMinute, configured.RequestsPerMinute),
            TokensPerMinute = Limit(overrides.TokensPerMinute, configured.TokensPerMinute),
            TokenBudget = Limit(overrides.TokenBudget, configured.TokenBudget),
        };
    }

    /// <summary>The values that hold.</summary>
    public TenantOptions Now { get; }

    /// <summary>The overrides after a change.</summary>
    public static TenantOverrides Merge(TenantOverrides before, TenantChange change)
    {
        TenantOverrides set = change.Set;
        return new TenantOverrides
        {
            Weight = set.Weight ?? Kept(before.Weight, TenantFields.Weight),
            Priority = set.Priority ?? Kept(before.Priority, TenantFields.Priority),
            DefaultFloor = set.DefaultFloor ?? Kept(before.DefaultFloor, TenantFields.DefaultFloor),
            RequestsPerMinute = set.RequestsPerMinute ?? Kept(before.RequestsPerMinute, TenantFields.RequestsPerMinute),
            TokensPerMinute = set.TokensPerMinute ?? Kept(before.TokensPerMinute, TenantFields.TokensPerMinute),
            TokenBudget = set.TokenBudget ?? Kept(before.TokenBudget, TenantFields.TokenBudget),
        };

        T? Kept<T>(T? value, string field) => change.Reset.Contains(field, StringComparer.Ordinal) ? default : value;
    }

    /// <summary>The first value that cannot be, with what is needed; null: all can.</summary>
    public (string Field, string Problem)? Problem()
    {
        List<ValidationResult> results = [];
        Validator.TryValidateObject(Now, new ValidationContext(Now), results, validateAllProperties: true);
        foreach (ValidationResult result in results)
        {
            string member = result.MemberNames.First();
            object? value = typeof(TenantOptions).GetProperty(member)!.GetValue(Now);
            return (Fields[member], string.Create(System.Globalization.CultureInfo.InvariantCulture, $"'{Fields[member]}' is {value}. {result.ErrorMessage}"));
        }
        return null;
    }

    /// <summary>What holds, and where it comes from.</summary>
    public TenantSettings Settings() => new()
    {
        Weight = Now.Weight,
        Priority = Now.Priority,
        DefaultFloor = Now.DefaultFloor,
        RequestsPerMinute = Now.RequestsPerMinute,
        TokensPerMinute = Now.TokensPerMinute,
        TokenBudget = Now.TokenBudget,
        SetAtRunTime = Named(
            _overrides.Weight is not null, _overrides.Priority is not null, _overrides.DefaultFloor is not null,
            _overrides.RequestsPerMinute is not null, _overrides.TokensPerMinute is not null, _overrides.TokenBudget is not null),
        // A value that is written down as it would be anyway cannot be told from none.
        Configured = Named(
            _configured.Weight != new TenantOptions().Weight, _configured.Priority != TenantPriority.Normal, _configured.DefaultFloor is not null,
            _configured.RequestsPerMinute is not null, _configured.TokensPerMinute is not null, _configured.TokenBudget is not null),
    };

    private static string[] Named(params ReadOnlySpan<bool> isSet)
    {
        List<string> named = [];
        int index = 0;
        foreach (string field in Fields.Values)
        {
            if (isSet[index++])
            {
                named.Add(field);
            }
        }
        return [.. named];
    }

    private static long? Limit(long? set, long? configured) => set is { } limit ? (limit == TenantOverrides.NoLimit ? null : limit) : configured;
}
