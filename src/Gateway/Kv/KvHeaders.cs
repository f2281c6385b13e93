using System.Globalization;
using Concertina.Contracts.Sessions;
using Concertina.Gateway.Http;
using Concertina.Gateway.Wire;
using Microsoft.AspNetCore.Http;

namespace Concertina.Gateway.Kv;

/// <summary>
/// The headers <c>x-kv-policy</c>, <c>x-kv-floor</c> and <c>x-kv-max-ratio</c> of a request, where an empty one says nothing,
/// and those of an answer.
/// </summary>
internal static class KvHeaders
{
    public const string Policy = "x-kv-policy";
    public const string Floor = "x-kv-floor";
    public const string MaxRatio = "x-kv-max-ratio";

    public static Outcome<KvGiven> Read(IHeaderDictionary headers)
    {
        KvPolicy? policy = null;
        KvFloor? floor = null;
        double? ratio = null;
        if (Text(headers, Policy) is { } name && (policy = KvGiven.PolicyOf(name)) is null)
        {
            return Refused(Policy, KvGiven.PolicyAllowed);
        }
        if (Text(headers, Floor) is { } text && (floor = KvFloor.OfText(text)) is null)
        {
            return Refused(Floor, KvFloor.Allowed);
        }
        return Text(headers, MaxRatio) is { } number && (ratio = Ratio(number)) is null
            ? Refused(MaxRatio, KvGiven.RatioAllowed)
            : new KvGiven(policy, floor, ratio);
    }

    /// <summary>Says on what an answer ran; a distortion that nobody measured is left out.</summary>
    public static void Write(IHeaderDictionary headers, KvUsage kv)
    {
        headers["x-kv-rung"] = kv.Rung;
        headers["x-kv-bits"] = Text(kv.Bits);
        headers["x-kv-ratio"] = Text(kv.Ratio);
        headers["x-kv-transcodes"] = kv.Transcodes.ToString(CultureInfo.InvariantCulture);
        headers["x-kv-exact"] = kv.Exact ? "true" : "false";
        if (kv.Distortion is { } nats)
        {
            headers["x-kv-distortion"] = Text(nats);
        }
    }

    private static string Text(double number) => number.ToString(CultureInfo.InvariantCulture);

    // Several lines of one header become one value that nothing allows, so that none of them wins in silence.
    private static string? Text(IHeaderDictionary headers, string name) => headers[name].ToString() is { Length: > 0 } text ? text : null;

    private static double? Ratio(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double ratio) ? KvGiven.RatioOf(ratio) : null;

    private static ApiError Refused(string header, string allowed) => ApiErrors.Invalid(header, $"The header '{header}' must be {allowed}.");
}
