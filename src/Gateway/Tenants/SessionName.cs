using System.Text.RegularExpressions;

namespace Concertina.Gateway.Tenants;

/// <summary>The form of a session's name. It has no slash, so no name reaches into another tenant's sessions.</summary>
internal static partial class SessionName
{
    public static bool IsOne(string name) => Form().IsMatch(name);

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
