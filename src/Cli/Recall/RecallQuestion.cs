using System.Text.Json.Nodes;

namespace Concertina.Cli.Recall;

/// <summary>A conversation that ends with a question.</summary>
/// <param name="Messages">The turns.</param>
/// <param name="Value">What the answer must contain.</param>
internal sealed record RecallQuestion(JsonArray Messages, string Value);
