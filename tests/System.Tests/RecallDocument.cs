namespace Concertina.System.Tests;

/// <summary>One document as a first turn, with the model's reply and the questions about it.</summary>
internal sealed record RecallDocument(string Text, string Reply, IReadOnlyList<RecallQuestion> Questions)
{
    /// <summary>The conversation that asks one question.</summary>
    public (string Role, string Content)[] Ask(RecallQuestion question) =>
        [("user", Text), ("assistant", Reply), ("user", question.Text)];
}
